using System.Globalization;
using TcpCloser.KernelTests.Harness;
using TcpCloser.KernelTests.Harness.Reach;
using Xunit;

namespace TcpCloser.KernelTests;

/// <summary>What may not be looked at is said, with the remedy and in the exit status, and never taken for empty.</summary>
public sealed class UnreadableTests
{
    private static readonly LabSurroundings s_own = new() { OwnProcesses = true };
    private static readonly string s_port = LabProcess.Port.ToString(CultureInfo.InvariantCulture);

    [Theory]
    [InlineData("--pid")]
    [InlineData("--comm")]
    public void SocketsOfAnotherUsersProcess(string option)
    {
        Users.Require();
        using var lab = LabProcess.Start(s_own, "--count", "2", "--process-name", "6f74686572");
        string[] selection = ["-s", s_port, option, option == "--pid" ? $"{lab.Processes("server").Single()}" : "other", "--disable-syslog"];
        ToolRun run = new(lab) { Wrapper = Users.As(Users.Somebody, "net_admin") };

        foreach (string[] arguments in new[] { selection, ["-n", .. selection], [.. selection, "-i", "1h"] })
        {
            var result = (run with { Arguments = arguments }).Run().Expect(3);

            string error = Assert.Single(result.Log, line => line.Contains(" error ", StringComparison.Ordinal));
            Assert.Contains($"of process {lab.Processes("server").Single()}", error, StringComparison.Ordinal);
            Assert.Contains("CAP_DAC_READ_SEARCH", error, StringComparison.Ordinal);
            Assert.Contains("CAP_SYS_PTRACE", error, StringComparison.Ordinal);
        }

        Assert.Equal(2, lab.State()["server", "alive"]);
        Assert.Equal(2, (run with { Wrapper = Users.As(Users.Somebody, "net_admin", "sys_ptrace", "dac_read_search"), Arguments = selection }).Run().Expect(0).Summary("closed"));
    }

    /// <summary>Of two processes of the name one is the user's own: that one's connections are closed, and the other is named.</summary>
    [Fact]
    public void OfSeveralProcessesOneThatMayNotBeLookedInto()
    {
        using var others = LabProcess.Start(s_own, "--count", "1", "--port", "5001", "--process-name", "6f74686572");
        using var own = Users.StartLab(others, Users.Somebody, "--count", "1", "--process-name", "6f74686572");

        var result = new ToolRun(others) { Wrapper = Users.As(Users.Somebody), Arguments = ["-s", "5000-5001", "--comm", "other", "--disable-syslog"] }.Run().Expect(1);

        Assert.Equal(1, result.Summary("closed"));
        Assert.Contains(result.Log, line => line.Contains(" error ", StringComparison.Ordinal) && line.Contains($"of process {others.Processes("server").Single()}", StringComparison.Ordinal));
        Assert.Equal(1, others.State()["server", "alive"]);
    }

    [Theory]
    [InlineData("/run/netns")]
    [InlineData("/run/docker/netns")]
    public void AFolderOfNamespaces(string folder)
    {
        Users.Require();
        using var farm = NamespaceFarm.Start(1, "--count", "1");
        Command.Run([.. farm.Home.Inside(), "chmod", "700", folder]).Expect(0);

        var result = new ToolRun(farm.Home)
        {
            Wrapper = Users.As(Users.Somebody, "net_admin", "sys_admin", "sys_ptrace"),
            Arguments = ["--all-netns", "-s", s_port, "--disable-syslog"],
        }.Run().Expect(1);

        string error = Assert.Single(result.Log, line => line.Contains(" error ", StringComparison.Ordinal));
        Assert.Contains(folder, error, StringComparison.Ordinal);
        Assert.Contains("CAP_DAC_READ_SEARCH", error, StringComparison.Ordinal);
    }

    [Fact]
    public void TheNamespaceOfAProcessIsNamedByTheProcess()
    {
        Users.Require();
        using var farm = NamespaceFarm.Start(0);
        using var other = LabProcess.Start(
            new LabSurroundings { Within = farm.Home, OwnProcesses = true, Preparation = "set -- unshare -n \"$@\"" }, "--count", "1");

        var result = new ToolRun(farm.Home)
        {
            Wrapper = Users.As(Users.Somebody, "net_admin", "sys_admin"),
            Arguments = ["--all-netns", "-s", s_port, "--disable-syslog"],
        }.Run().Expect(1);

        string path = $"/proc/{NamespaceFarm.InnerId(other)}/ns/net";
        string error = Assert.Single(result.Log, line => line.Contains(path + ":", StringComparison.Ordinal));
        Assert.Contains(" error ", error, StringComparison.Ordinal);
        Assert.Contains("CAP_SYS_PTRACE", error, StringComparison.Ordinal);
        Assert.Equal(1, other.State()["server", "alive"]);
    }
}
