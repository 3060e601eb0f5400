using System.Globalization;
using System.Runtime.Versioning;
using System.Text.RegularExpressions;

namespace TcpCloser.Tests.Report;

/// <summary>The file for node_exporter: its content, and what happens if it cannot be written.</summary>
public sealed partial class MetricsFileTests : IDisposable
{
    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("tcp-closer-metrics-");

    private string FilePath => Path.Combine(_directory.FullName, "rule.prom");

    public void Dispose() => _directory.Delete(recursive: true);

    [Fact]
    public void Samples_TwoRoundsWithEachOutcome_AddUp()
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
        int verdicts = 0;
        for (Outcome outcome = Outcome.Pending; outcome <= Outcome.NotReached; outcome++)
        {
            OutcomeInfo info = OutcomeInfo.Of(outcome);
            string name = System.Text.Encoding.ASCII.GetString(info.Name);
            bool isIdle = info.Counted is not (Counted.Matched or Counted.Answered or Counted.Unproved or Counted.Unasked or Counted.OverLimit);
            outcomes += isIdle ? 1 : 0;
            verdicts += info.Counted is Counted.Answered or Counted.Unproved or Counted.Unasked or Counted.OverLimit ? 1 : 0;
            if (info.Counted is Counted.Answered or Counted.Unproved or Counted.Unasked or Counted.OverLimit)
            {
                continue; // several outcomes share one counter
            }

            Assert.Equal(isIdle, first.Contains($"tcp_closer_connections_total{{rule=\"db\",outcome=\"{name}\"}} 1"));
            Assert.Equal(isIdle, second.Contains($"tcp_closer_connections_total{{rule=\"db\",outcome=\"{name}\"}} 2"));
        }

        Assert.Contains($"tcp_closer_connections_total{{rule=\"db\",outcome=\"left_alone\"}} {30 - outcomes - verdicts}", first);
        Assert.Contains($"tcp_closer_connections_total{{rule=\"db\",outcome=\"left_alone\"}} {70 - 2 * (outcomes + verdicts)}", second);
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

    /// <summary>A dry run as a service finds the same connections in each round; closed, each would have been found once.</summary>
    [Fact]
    public void Samples_DryRunFindsConnectionsAgain_CountEachOnce()
    {
        LogText.Of(log =>
        {
            var metrics = new MetricsFile(FilePath, "db", log);
            foreach (ulong[] cookies in (ulong[][])[[1, 2], [2, 1, 3], [3], [1, 3]])
            {
                Round(metrics, ExitStatus.Done, matched: 30, Pending(cookies));
            }
        });
        Assert.Contains("tcp_closer_connections_total{rule=\"db\",outcome=\"would_close\"} 4", Samples()); // 1, 2, 3, and 1 again
    }

    [Fact]
    public void Remove_FileOfAService_IsGone()
    {
        LogText.Of(log =>
        {
            var metrics = new MetricsFile(FilePath, "db", log);
            Round(metrics, ExitStatus.Done, matched: 30);
            metrics.Remove();
            Assert.Empty(_directory.GetFiles());
            metrics.Remove(); // there is none

            Directory.CreateDirectory(FilePath);
            metrics.Remove();
            Assert.True(Directory.Exists(FilePath));
        });
    }

    /// <summary>Counters exist from the first round on, each with its type and help text.</summary>
    [Fact]
    public void File_AfterOneRound_MatchesSnapshot()
    {
        LogText.Of(log => Round(new MetricsFile(FilePath, "db", log), ExitStatus.Done, matched: 30));
        Snap.Match(TimestampSample().Replace(File.ReadAllText(FilePath).Replace(BuildInfo.Version, "VERSION", StringComparison.Ordinal), "$1 NOW"));
    }

    [Theory]
    [Rows("plain | plain", "a \"b\" \\ c | a \\\"b\\\" \\\\ c", "é | é")]
    public void Label_RuleName_IsEscaped(string name, string label)
    {
        LogText.Of(log => Round(new MetricsFile(FilePath, name, log), ExitStatus.Done, matched: 30));
        Assert.Contains($"tcp_closer_matched_connections{{rule=\"{label}\"}} 30", Samples());
    }

    [Fact]
    public void Label_NoRuleName_IsAbsent()
    {
        LogText.Of(log => Round(new MetricsFile(FilePath, null, log), ExitStatus.Done, matched: 30));
        Assert.Contains("tcp_closer_matched_connections 30", Samples());
        Assert.Contains("tcp_closer_rounds_total{status=\"done\"} 1", Samples());
    }

    [Fact]
    [UnsupportedOSPlatform("windows")]
    public void End_LeftoverTemporaryFile_LeavesOneWorldReadableFile()
    {
        File.WriteAllText(FilePath + ".new", "of a run that was killed");
        LogText.Of(log => Round(new MetricsFile(FilePath, null, log), ExitStatus.Done, matched: 30));
        Assert.Equal("rule.prom", Assert.Single(_directory.GetFiles()).Name);
        Assert.Equal(
            UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead | UnixFileMode.OtherRead, File.GetUnixFileMode(FilePath));
    }

    [Fact]
    public void End_TemporaryFileIsALink_IsNotFollowed()
    {
        string victim = Path.Combine(_directory.FullName, "victim");
        File.WriteAllText(victim, "as it was");
        File.CreateSymbolicLink(FilePath + ".new", victim);
        LogText.Of(log => Round(new MetricsFile(FilePath, null, log), ExitStatus.Done, matched: 30));
        Assert.Equal("as it was", File.ReadAllText(victim));
        Assert.NotEmpty(Samples());
    }

    [Fact]
    public void End_DirectoryIsMissing_IsLoggedOncePerOutage()
    {
        string missing = Path.Combine(_directory.FullName, "later");
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
            $"error writing the metrics '{path}': ENOENT (no such file or object); create its directory first", line, StringComparison.Ordinal));
    }

    [Fact]
    public void End_TemporaryFileIsADirectory_IsLoggedOnceWithTheRemedy()
    {
        Directory.CreateDirectory(FilePath + ".new");
        string log = LogText.Of(log =>
        {
            var metrics = new MetricsFile(FilePath, null, log);
            Round(metrics, ExitStatus.Done, matched: 30);
            Round(metrics, ExitStatus.Done, matched: 30);
            Assert.True(Directory.Exists(FilePath + ".new"));
            Assert.False(File.Exists(FilePath));
            Directory.Delete(FilePath + ".new");
            Round(metrics, ExitStatus.Done, matched: 30);
        });

        Assert.Contains("tcp_closer_rounds_total{status=\"done\"} 3", Samples());
        Assert.EndsWith(
            $" error writing the metrics '{FilePath}': EEXIST (file exists); they are first written to a file with .new appended " +
            "to the path: remove it, and give each run its own file\n",
            log, StringComparison.Ordinal);
        Assert.Single(log.Split('\n', StringSplitOptions.RemoveEmptyEntries));
    }

    [Theory]
    [Values("/dev/null", "/dev/stdout", "/tmp")]
    public void End_PathIsNotARegularFile_FailsAndKeepsIt(string path)
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
    private static partial Regex TimestampSample();

    private static ConnectionList Pending(params ulong[] cookies)
    {
        var list = new ConnectionList();
        list.Begin(new NetworkNamespace());
        foreach (ulong cookie in cookies)
        {
            list.Add(new Connection { Cookie = cookie });
        }

        return list;
    }

    private static void Round(MetricsFile metrics, ExitStatus status, int matched, ConnectionList? wouldClose = null)
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
        metrics.Begin(null!);
        metrics.WouldClose(wouldClose ?? Pending((ulong)matched), new SockDestroyer(leavesUnsupported: false));
        metrics.End(status, counts, TimeSpan.FromMilliseconds(12.5), isQuiet: true);
    }

    private string[] Samples() => [.. File.ReadAllLines(FilePath).Where(static line => !line.StartsWith('#'))];
}
