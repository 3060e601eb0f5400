using System.Globalization;
using System.Runtime.Versioning;
using System.Text.RegularExpressions;
using TcpCloser.Diag;
using TcpCloser.Report;
using TcpCloser.Tests.Support;

namespace TcpCloser.Tests.Report;

/// <summary>The file for node_exporter: what is in it, and what happens where it cannot be written.</summary>
public sealed partial class MetricsFileTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("tcp-closer-metrics-");

    private string FilePath => Path.Combine(_folder.FullName, "rule.prom");

    public void Dispose() => _folder.Delete(recursive: true);

    [Fact]
    public void ARoundWithEveryOutcome()
    {
        string[] first = [];
        string log = LogText.Of(log =>
        {
            var metrics = new MetricsFile(FilePath, "db", log);
            Round(metrics, ExitStatus.Incomplete, matched: 30);
            first = Samples();
            Round(metrics, ExitStatus.Done, matched: 40);
            Assert.False(metrics.Failed);
        });

        Assert.Empty(log);
        string[] second = Samples();
        Assert.Equal(first.Length, second.Length);
        int outcomes = 0;
        for (Outcome outcome = Outcome.Idle; outcome <= Outcome.NotReached; outcome++)
        {
            OutcomeInfo info = OutcomeInfo.Of(outcome);
            string name = System.Text.Encoding.ASCII.GetString(info.Name);
            bool isIdle = info.Counted != Counted.Matched;
            outcomes += isIdle ? 1 : 0;
            Assert.Equal(isIdle, first.Contains($"tcp_closer_connections_total{{rule=\"db\",outcome=\"{name}\"}} 1"));
            Assert.Equal(isIdle, second.Contains($"tcp_closer_connections_total{{rule=\"db\",outcome=\"{name}\"}} 2"));
        }

        Assert.Contains($"tcp_closer_connections_total{{rule=\"db\",outcome=\"left_alone\"}} {30 - outcomes}", first);
        Assert.Contains($"tcp_closer_connections_total{{rule=\"db\",outcome=\"left_alone\"}} {70 - 2 * outcomes}", second);
        Assert.Contains("tcp_closer_rounds_total{rule=\"db\",status=\"done\"} 0", first);
        Assert.Contains("tcp_closer_rounds_total{rule=\"db\",status=\"done\"} 1", second);
        Assert.Contains("tcp_closer_rounds_total{rule=\"db\",status=\"incomplete\"} 1", second);
        Assert.Contains("tcp_closer_rounds_total{rule=\"db\",status=\"refused\"} 0", second);
        Assert.Contains("tcp_closer_rounds_total{rule=\"db\",status=\"not_possible\"} 0", second);
        Assert.Contains("tcp_closer_matched_connections{rule=\"db\"} 40", second);
        Assert.Contains($"tcp_closer_idle_connections{{rule=\"db\"}} {outcomes}", second);
        Assert.Contains("tcp_closer_last_round_duration_seconds{rule=\"db\"} 0.0125", second);
        string time = Assert.Single(second, static line => line.StartsWith("tcp_closer_last_round_timestamp_seconds{rule=\"db\"} ", StringComparison.Ordinal));
        Assert.InRange(double.Parse(time.Split(' ')[^1], CultureInfo.InvariantCulture) - DateTimeOffset.UtcNow.ToUnixTimeSeconds(), -60, 2);
    }

    /// <summary>Counters are there from the first round on, each with its type and a word of help.</summary>
    [Fact]
    public void TheWholeFile()
    {
        LogText.Of(log => Round(new MetricsFile(FilePath, "db", log), ExitStatus.Done, matched: 30));
        Snap.Match(NumberOfNow().Replace(File.ReadAllText(FilePath).Replace(BuildInfo.Version, "VERSION", StringComparison.Ordinal), "$1 NOW"));
    }

    [Theory]
    [InlineData("plain", "plain")]
    [InlineData("a \"b\" \\ c", "a \\\"b\\\" \\\\ c")]
    [InlineData("é", "é")]
    public void ANameIsALabel(string name, string label)
    {
        LogText.Of(log => Round(new MetricsFile(FilePath, name, log), ExitStatus.Done, matched: 30));
        Assert.Contains($"tcp_closer_matched_connections{{rule=\"{label}\"}} 30", Samples());
    }

    [Fact]
    public void WithoutANameThereIsNoLabel()
    {
        LogText.Of(log => Round(new MetricsFile(FilePath, null, log), ExitStatus.Done, matched: 30));
        Assert.Contains("tcp_closer_matched_connections 30", Samples());
        Assert.Contains("tcp_closer_rounds_total{status=\"done\"} 1", Samples());
    }

    [Fact]
    [UnsupportedOSPlatform("windows")]
    public void EverybodyMayReadItAndNothingIsLeftBeside()
    {
        File.WriteAllText(FilePath + ".new", "of a run that was killed");
        LogText.Of(log => Round(new MetricsFile(FilePath, null, log), ExitStatus.Done, matched: 30));
        Assert.Equal("rule.prom", Assert.Single(_folder.GetFiles()).Name);
        Assert.Equal(
            UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead | UnixFileMode.OtherRead, File.GetUnixFileMode(FilePath));
    }

    [Fact]
    public void ALinkBesideIsNotWrittenThrough()
    {
        string victim = Path.Combine(_folder.FullName, "victim");
        File.WriteAllText(victim, "as it was");
        File.CreateSymbolicLink(FilePath + ".new", victim);
        LogText.Of(log => Round(new MetricsFile(FilePath, null, log), ExitStatus.Done, matched: 30));
        Assert.Equal("as it was", File.ReadAllText(victim));
        Assert.NotEmpty(Samples());
    }

    [Fact]
    public void WhatCannotBeWrittenIsSaidOnceUntilItCouldAgain()
    {
        string missing = Path.Combine(_folder.FullName, "later");
        string path = Path.Combine(missing, "rule.prom");
        bool failed = false;
        string log = LogText.Of(log =>
        {
            var metrics = new MetricsFile(path, null, log);
            Round(metrics, ExitStatus.Done, matched: 30);
            Round(metrics, ExitStatus.Done, matched: 30);
            Directory.CreateDirectory(missing);
            Round(metrics, ExitStatus.Done, matched: 30);
            Assert.Contains("tcp_closer_rounds_total{status=\"done\"} 3", File.ReadAllLines(path));
            Directory.Delete(missing, recursive: true);
            Round(metrics, ExitStatus.Done, matched: 30);
            failed = metrics.Failed;
        });

        Assert.True(failed);
        string[] lines = log.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal(2, lines.Length);
        Assert.All(lines, line => Assert.Contains(
            $"error writing the metrics '{path}': ENOENT (no such file or object); create its folder first", line, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("/dev/null")]
    [InlineData("/dev/stdout")]
    [InlineData("/tmp")]
    public void WhatIsNoFileStaysWhatItIs(string path)
    {
        FileAttributes before = File.GetAttributes(path);
        bool failed = false;
        LogText.Of(log =>
        {
            var metrics = new MetricsFile(path, null, log);
            Round(metrics, ExitStatus.Done, matched: 30);
            failed = metrics.Failed;
        });
        Assert.True(failed);
        Assert.Equal(before, File.GetAttributes(path));
        Assert.False(File.Exists(path + ".new"));
    }

    [GeneratedRegex("(_timestamp_seconds{.*}) [0-9]{10}\\.[0-9]{1,6}$", RegexOptions.Multiline)]
    private static partial Regex NumberOfNow();

    private static void Round(MetricsFile metrics, ExitStatus status, int matched)
    {
        var list = new ConnectionList();
        list.Begin(new NetworkNamespace());
        var counts = new Counts { Matched = matched };
        for (Outcome outcome = Outcome.Busy; outcome <= Outcome.NotReached; outcome++)
        {
            list.Add(new Connection { Outcome = outcome });
            counts.Count(outcome);
            metrics.Completed(list, list.Count - 1);
        }

        counts.WouldClose = 1;
        metrics.End(status, counts, TimeSpan.FromMilliseconds(12.5), isQuiet: true);
    }

    private string[] Samples() => [.. File.ReadAllLines(FilePath).Where(static line => !line.StartsWith('#'))];
}
