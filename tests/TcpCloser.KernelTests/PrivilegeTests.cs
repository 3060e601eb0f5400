using TcpCloser.KernelTests.Harness;
using Xunit;

namespace TcpCloser.KernelTests;

/// <summary>Without CAP_NET_ADMIN: exit 3, nothing closed and nothing said to be. Where there is nothing to close it is not missed.</summary>
public sealed class PrivilegeTests
{
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

    private static ToolRun Unprivileged(LabProcess lab, params string[] arguments)
        => new ToolRun(lab) { Arguments = [.. arguments, "--disable-syslog"] }.Unprivileged();
}
