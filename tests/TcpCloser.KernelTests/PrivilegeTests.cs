using TcpCloser.KernelTests.Harness;
using TcpCloser.KernelTests.Harness.Reach;
using Xunit;

namespace TcpCloser.KernelTests;

/// <summary>Without CAP_NET_ADMIN: exit 3, nothing closed and nothing said to be. Where there is nothing to close it is not missed.</summary>
public sealed class PrivilegeTests
{
    private static readonly LabSurroundings s_own = new() { OwnProcesses = true };

    [Fact]
    public void WithoutPrivilegeNothingIsClosedNorSaidToBe()
    {
        using var lab = LabProcess.Start("--count", "5");

        var result = Unprivileged(lab, "--method", "destroy", "-s", $"{LabProcess.Port}").Run().Expect(3);

        Assert.Contains("CAP_NET_ADMIN", result.Stderr, StringComparison.Ordinal);
        Assert.Empty(result.Destroyed);
        Assert.Equal(0, result.Summary("closed"));
        Assert.Equal(5, lab.State()["server", "alive"]);
        Assert.Equal(5, lab.State()["client", "alive"]);
    }

    [Fact]
    public void TheAdviceToGiveTheFileTheCapabilitySaysWhomThatServes()
    {
        using var lab = LabProcess.Start("--count", "1");
        string[] arguments = ["--method", "destroy", "-s", $"{LabProcess.Port}", "--disable-syslog"];

        var result = new ToolRun(lab) { Wrapper = Users.As(Users.Somebody), Arguments = arguments }.Run().Expect(3);

        string advice = Assert.Single(result.Log, line => line.Contains("setcap", StringComparison.Ordinal));
        Assert.Contains("every user", advice, StringComparison.Ordinal);
        Assert.Contains("root's connections", advice, StringComparison.Ordinal);
    }

    /// <summary>Root without CAP_NET_ADMIN, and a user whose own connections they are: both may disconnect.</summary>
    [Theory]
    [InlineData(0)]
    [InlineData(Users.Somebody)]
    public void AutoDisconnectsWhereThatNeedsNoPrivilege(int uid)
    {
        using var home = LabProcess.Start(s_own, "--count", "0", "--port", "4999");
        using var lab = Users.StartLab(home, uid, "--count", "600", "--client-process");
        string[] wrapper = uid == 0 ? ["setpriv", "--bounding-set", "-net_admin", "--inh-caps", "-net_admin"] : Users.As(uid);

        var result = new ToolRun(home) { Wrapper = wrapper, Arguments = ["-s", $"{LabProcess.Port}", "--disable-syslog"] }.Run().Expect(0);

        Assert.Equal(600, result.Summary("closed"));
        Assert.Equal(600, result.Log.Count(line => line.Contains(" info disconnected ", StringComparison.Ordinal)));
        Assert.DoesNotContain(result.Log, line => line.Contains(" error ", StringComparison.Ordinal));
        Assert.Equal(600, lab.State()["server", "reset"]);
        Assert.Equal(600, lab.State()["client", "reset"]);
        Assert.Equal(0, lab.State()["processes", "dead"]);
    }

    [Fact]
    public void AutoClosesAUsersOwnAndSaysOfTheOthersWhatIsMissing()
    {
        using var home = LabProcess.Start(s_own, "--count", "3", "--client-process");
        using var own = Users.StartLab(home, Users.Somebody, "--count", "2", "--port", "5001", "--client-process");

        var result = new ToolRun(home) { Wrapper = Users.As(Users.Somebody), Arguments = ["-s", "5000-5001", "--disable-syslog"] }.Run().Expect(1);

        Assert.Equal(2, result.Summary("closed"));
        Assert.Equal(3, result.Summary("failed"));
        Assert.Contains(result.Log, line => line.Contains(" error ", StringComparison.Ordinal) && line.Contains("CAP_NET_ADMIN", StringComparison.Ordinal));
        Assert.Equal(2, own.State()["server", "reset"]);
        Assert.Equal(3, home.State()["server", "alive"]);
    }

    [Fact]
    public void WithNothingToCloseItIsNotMissed()
    {
        using var lab = LabProcess.Start("--count", "1");

        Unprivileged(lab, "-s", "7").Run().Expect(0);
    }

    [Fact]
    public void ADryRunNeedsNone()
    {
        using var lab = LabProcess.Start("--count", "2");

        var result = Unprivileged(lab, "-n", "-s", $"{LabProcess.Port}").Run().Expect(0);

        foreach (var connection in lab.List())
        {
            Assert.Contains(connection.ClientAddress, result.Stdout, StringComparison.Ordinal);
        }

        Assert.Equal(2, lab.State()["server", "alive"]);
    }

    /// <summary>Also where nothing is to be closed in its first round: it would fail in each that has something, and look well until then.</summary>
    [Theory]
    [InlineData("0")]
    [InlineData("1h")]
    public void AServiceThatCouldCloseNothingEndsAtOnce(string idle)
    {
        using var lab = LabProcess.Start("--count", "1");

        var result = Unprivileged(lab, "--method", "destroy", "-s", $"{LabProcess.Port}", "-t", idle, "-i", "50ms").Run().Expect(3);

        Assert.Contains("CAP_NET_ADMIN", Assert.Single(result.Log, line => line.Contains(" error ", StringComparison.Ordinal)), StringComparison.Ordinal);
        Assert.Equal(1, lab.State()["server", "alive"]);
    }

    [Theory]
    [InlineData("auto")]
    [InlineData("disconnect")]
    [InlineData("kill")]
    public void AServiceThatReachesNoProcessEndsAtOnce(string method)
    {
        Users.Require();
        using var home = LabProcess.Start(s_own, "--count", "1");
        ToolRun run = new(home)
        {
            Wrapper = Users.As(Users.Somebody),
            Arguments = ["--method", method, "-s", $"{LabProcess.Port}", "-t", "1h", "-i", "1h", "--disable-syslog"],
        };

        var result = run.Run().Expect(3);

        Assert.Contains("CAP_", Assert.Single(result.Log, line => line.Contains(" error ", StringComparison.Ordinal)), StringComparison.Ordinal);

        // With a process of the user's own there is something that it can close, unless it is root's that are asked for.
        using var own = Users.StartLab(home, Users.Somebody, "--count", "1", "--port", "5001");
        (run with { Arguments = [.. run.Arguments, "--uid", "0"] }).Run().Expect(3);
        using var service = (run with { Arguments = [.. run.Arguments, "-v"] }).Start();
        Until.True(() => service.Stderr.Contains("matched=1", StringComparison.Ordinal), "the first round");
        Assert.Contains(" warning ", service.Stderr, StringComparison.Ordinal);
        Command.Run("kill", "-s", "TERM", $"{NamespaceFarm.FirstBelow(service.Id)}").Expect(0);
        service.WaitForEnd().Expect(0);
    }

    private static ToolRun Unprivileged(LabProcess lab, params string[] arguments)
        => new ToolRun(lab) { Arguments = [.. arguments, "--disable-syslog"] }.Unprivileged();
}
