using TcpCloser.KernelTests.Harness;
using Xunit;

namespace TcpCloser.KernelTests;

/// <summary>-n goes to the last step and does not take it.</summary>
public sealed class DryRunTests
{
    [Theory]
    [InlineData("v4")]
    [InlineData("v6")]
    [InlineData("dual")]
    public void EveryConnectionIsShownAndNoneIsClosed(string family)
    {
        using var lab = LabProcess.Start("--count", "3", "--busy", "1", "--family", family);
        lab.WaitIdle(2, 500);

        var result = lab.Tool("-n", family == "v6" ? "-6" : "-4", "-s", $"{LabProcess.Port}", "-t", "500").Expect(0);

        var connections = lab.List();
        Assert.Contains(connections[0].ClientAddress, result.Stdout, StringComparison.Ordinal);
        Assert.Contains(connections[1].ClientAddress, result.Stdout, StringComparison.Ordinal);
        Assert.DoesNotContain(connections[2].ClientAddress, result.Stdout, StringComparison.Ordinal);
        Assert.All(connections, connection => Assert.Equal("alive", connection.Server.View));
        Assert.Equal(0, result.Summary("closed"));
    }

    [Fact]
    public void WithKillItNamesTheProcessesAndWhatElseTheyWouldLose()
    {
        LabSurroundings own = new() { OwnProcesses = true };
        using var lab = LabProcess.Start(own, "--count", "4", "--ports", "2", "--client-process");
        int server = Assert.Single(lab.Processes("server"));

        var result = lab.Tool("-n", "--use-proc", "-s", $"{LabProcess.Port}").Expect(0);

        Assert.Equal(2, result.Stdout.Split('\n').Count(line => line.Contains($"[{server}]", StringComparison.Ordinal)));
        // It holds two connections on the other port as well.
        Assert.Contains("(2 other connections)", result.Stdout, StringComparison.Ordinal);
        Assert.Equal(4, lab.State()["server", "alive"]);
        Assert.Equal(0, lab.State()["processes", "dead"]);
    }
}
