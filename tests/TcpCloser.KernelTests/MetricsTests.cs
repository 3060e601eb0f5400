namespace TcpCloser.KernelTests;

/// <summary><c>--metrics</c>: the file agrees with what happened; a file that cannot be written does not keep connections open.</summary>
public sealed class MetricsTests
{
    [Fact]
    public void Metrics_Service_CountsSinceItsStart()
    {
        using var lab = LabProcess.Start("--count", "5", "--busy", "2");
        using TemporaryDirectory directory = new();
        string file = directory.File("rule.prom");
        using Command service = new ToolRun(lab)
            .Start("-s", $"{LabProcess.Port}", "-t", "400ms", "-i", "50ms", "--name", "a", "--metrics", file);
        lab.WaitEnded(3);
        Until.True(() => Lines(file).Contains("tcp_closer_connections_total{rule=\"a\",outcome=\"destroyed\"} 3"), "three closed connections in the file");
        Until.True(() => Lines(file).Contains("tcp_closer_matched_connections{rule=\"a\"} 2"), "a round with the two remaining connections");
        Assert.Contains("tcp_closer_idle_connections{rule=\"a\"} 0", Lines(file));
        Result check = lab.Tool("--check", "-i", "1h", "--metrics", file).Expect(0);
        Assert.Matches("\nservice +yes\n$", check.Stdout);
        service.Signal("TERM");
        service.WaitForEnd().Expect(0);
        Assert.False(File.Exists(file));
        Assert.Contains("\nservice           no   reading the metrics of the service ", lab.Tool("--check", "-i", "1h", "--metrics", file).Expect(1).Stdout, StringComparison.Ordinal);
    }

    /// <summary>What a rule would have closed is in the log and in the metrics once, however many rounds find it.</summary>
    [Fact]
    public void Metrics_DryRunAsAService_CountsEachConnectionOnce()
    {
        using var lab = LabProcess.Start("--count", "3", "--busy", "1");
        using TemporaryDirectory directory = new();
        string file = directory.File("rule.prom");
        using Command service = new ToolRun(lab)
        {
            Arguments = ["-n", "-s", $"{LabProcess.Port}", "-t", "400ms", "-i", "50ms", "--metrics", file, "--disable-syslog"],
        }.Start();
        Until.True(() => Lines(file).Contains("tcp_closer_idle_connections 2"), "a round with two idle connections");
        string[] rounds = [.. Lines(file).Where(static line => line.StartsWith("tcp_closer_rounds_total{status=\"done\"}", StringComparison.Ordinal))];
        Until.True(() => Lines(file) is { Length: > 0 } lines && !lines.Contains(rounds[0]), "a later round");
        Assert.Contains("tcp_closer_connections_total{outcome=\"would_close\"} 2", Lines(file));
        service.Signal("TERM");
        Result result = service.WaitForEnd().Expect(0);
        Assert.Equal(2, result.Log.Count(static line => line.Contains(" would-close ")));
        Assert.Empty(result.Stdout);
        lab.ExpectState("server alive=3");
    }

    [Theory]
    [Rows("missing/rule.prom | ENOENT", ". | EINVAL")]
    public void Metrics_FileCannotBeWritten_ConnectionsAreClosedAndRunFails(string name, string errno)
    {
        using var lab = LabProcess.Start("--count", "2");
        using TemporaryDirectory directory = new();
        Result result = lab.Tool("-s", $"{LabProcess.Port}", "--metrics", Path.Combine(directory.Path, name)).Expect(1, "closed=2");
        Assert.Contains($"error writing the metrics '{Path.Combine(directory.Path, name)}': {errno} ", result.Log[^1], StringComparison.Ordinal);
        Assert.Empty(Directory.GetFileSystemEntries(directory.Path));
    }

    private static string[] Lines(string file) => File.Exists(file) ? File.ReadAllLines(file) : [];
}
