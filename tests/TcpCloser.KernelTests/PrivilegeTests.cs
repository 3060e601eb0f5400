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

        var result = Unprivileged(lab, "-s", $"{LabProcess.Port}").Run().Expect(3);

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

    [Fact]
    public void AServiceWhoseFirstRoundIsNotPossibleEnds()
    {
        using var lab = LabProcess.Start("--count", "1");

        Unprivileged(lab, "-s", $"{LabProcess.Port}", "-i", "50ms").Run().Expect(3);
    }

    private static ToolRun Unprivileged(LabProcess lab, params string[] arguments)
        => new ToolRun(lab) { Arguments = [.. arguments, "--disable-syslog"] }.Unprivileged();
}
