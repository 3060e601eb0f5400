using TcpCloser.KernelTests.Harness;
using Xunit;

namespace TcpCloser.KernelTests;

/// <summary><c>--metrics</c>: what it says is what happened, and that it cannot be written keeps nobody from closing.</summary>
public sealed class MetricsTests
{
    [Fact]
    public void AServiceLeavesWhatItHasDoneSinceItBegan()
    {
        using var lab = LabProcess.Start("--count", "5", "--busy", "2");
        using TemporaryFolder folder = new();
        string file = folder.File("rule.prom");
        using Command service = new ToolRun(lab)
        {
            Arguments = ["-s", $"{LabProcess.Port}", "-t", "400ms", "-i", "50ms", "--name", "a", "--metrics", file, "--disable-syslog"],
        }.Start();
        lab.WaitEnded(3);
        Until.True(() => Lines(file).Contains("tcp_closer_connections_total{rule=\"a\",outcome=\"destroyed\"} 3"), "three in the file");
        Until.True(() => Lines(file).Contains("tcp_closer_matched_connections{rule=\"a\"} 2"), "a round with the two that live");
        Assert.Contains("tcp_closer_idle_connections{rule=\"a\"} 0", Lines(file));
        service.Signal("TERM");
        service.WaitForEnd().Expect(0);
    }

    [Theory]
    [InlineData("missing/rule.prom", "ENOENT")]
    [InlineData(".", "EINVAL")]
    public void WhereItCannotBeWrittenConnectionsAreClosedAndTheExitStatusSaysIt(string name, string errno)
    {
        using var lab = LabProcess.Start("--count", "2");
        using TemporaryFolder folder = new();

        Result result = lab.Tool("-s", $"{LabProcess.Port}", "--metrics", Path.Combine(folder.Path, name)).Expect(1);

        Assert.Equal(2, result.Summary("closed"));
        Assert.Contains($"error writing the metrics '{Path.Combine(folder.Path, name)}': {errno} ", result.Log[^1], StringComparison.Ordinal);
        Assert.Empty(Directory.GetFileSystemEntries(folder.Path));
    }

    private static string[] Lines(string file) => File.Exists(file) ? File.ReadAllLines(file) : [];
}
