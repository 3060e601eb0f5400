using System.Globalization;
using System.Runtime.Versioning;
using System.Text;
using System.Text.RegularExpressions;

namespace TcpCloser.Tests.Report;

/// <summary>The file for node_exporter: its content, and what happens if it cannot be written.</summary>
public sealed partial class MetricsFileTests : IDisposable
{
    private readonly TemporaryDirectory _directory = new();

    private string FilePath => Path.Combine(_directory.Path, "rule.prom");

    public void Dispose() => _directory.Dispose();

    [Fact]
    public void Samples_TwoRoundsWithEachOutcome_AddUp()
    {
        string[] first = [];
        string log = Write("db", metrics =>
        {
            Round(metrics, ExitStatus.Incomplete);
            first = Samples();
            Round(metrics, matched: 40);
            Assert.False(metrics.Failed);
        });

        Assert.Empty(log);
        string[] second = Samples();
        Assert.Equal(first.Length, second.Length);
        int outcomes = 0;
        int verdicts = 0;
        foreach (Outcome outcome in Enum.GetValues<Outcome>())
        {
            OutcomeInfo info = OutcomeInfo.Of(outcome);
            if (info.Counted is Counted.Answered or Counted.Unproved or Counted.Unasked or Counted.OverLimit)
            {
                verdicts++; // several outcomes share one counter
                continue;
            }

            bool isIdle = info.Counted != Counted.Matched;
            outcomes += isIdle ? 1 : 0;
            string sample = $"tcp_closer_connections_total{{rule=\"db\",outcome=\"{Encoding.ASCII.GetString(info.Name)}\"}}";
            Assert.Equal(isIdle, first.Contains(sample + " 1"));
            Assert.Equal(isIdle, second.Contains(sample + " 2"));
        }

        Assert.Contains($"tcp_closer_connections_total{{rule=\"db\",outcome=\"left_alone\"}} {30 - outcomes - verdicts}", first);
        Assert.Contains($"tcp_closer_connections_total{{rule=\"db\",outcome=\"left_alone\"}} {70 - 2 * (outcomes + verdicts)}", second);
        Assert.Contains("tcp_closer_rounds_total{rule=\"db\",status=\"done\"} 0", first);
        foreach ((string status, int rounds) in (IEnumerable<(string, int)>)[("done", 1), ("incomplete", 1), ("refused", 0), ("not_possible", 0)])
        {
            Assert.Contains($"tcp_closer_rounds_total{{rule=\"db\",status=\"{status}\"}} {rounds}", second);
        }

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
        ulong[][] rounds = [[1, 2], [2, 1, 3], [3], [1, 3]];
        Write("db", metrics => Array.ForEach(rounds, cookies => Round(metrics, wouldClose: cookies)));
        Assert.Contains("tcp_closer_connections_total{rule=\"db\",outcome=\"would_close\"} 4", Samples()); // 1, 2, 3, and 1 again
    }

    [Fact]
    public void Remove_FileOfAService_IsGone() => Write("db", metrics =>
    {
        Round(metrics);
        metrics.Remove();
        Assert.Empty(Directory.GetFiles(_directory.Path));
        metrics.Remove(); // there is none

        Directory.CreateDirectory(FilePath);
        metrics.Remove();
        Assert.True(Directory.Exists(FilePath));
    });

    /// <summary>Counters exist from the first round on, each with its type and help text.</summary>
    [Fact]
    public void File_AfterOneRound_MatchesSnapshot()
    {
        WriteRound("db");
        Snap.Match(TimestampSample().Replace(File.ReadAllText(FilePath).Replace(BuildInfo.Version, "VERSION", StringComparison.Ordinal), "$1 NOW"));
    }

    [Theory]
    [Rows("plain | plain", "a \"b\" \\ c | a \\\"b\\\" \\\\ c", "é | é")]
    public void Label_RuleName_IsEscaped(string name, string label)
    {
        WriteRound(name);
        Assert.Contains($"tcp_closer_matched_connections{{rule=\"{label}\"}} 30", Samples());
    }

    [Fact]
    public void Label_NoRuleName_IsAbsent()
    {
        WriteRound();
        Assert.Contains("tcp_closer_matched_connections 30", Samples());
        Assert.Contains("tcp_closer_rounds_total{status=\"done\"} 1", Samples());
    }

    [Fact]
    [UnsupportedOSPlatform("windows")]
    public void End_LeftoverTemporaryFile_LeavesOneWorldReadableFile()
    {
        File.WriteAllText(FilePath + ".new", "of a run that was killed");
        WriteRound();
        Assert.Equal([FilePath], Directory.GetFiles(_directory.Path));
        Assert.Equal(
            UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead | UnixFileMode.OtherRead, File.GetUnixFileMode(FilePath));
    }

    [Fact]
    public void End_TemporaryFileIsALink_IsNotFollowed()
    {
        string victim = Path.Combine(_directory.Path, "victim");
        File.WriteAllText(victim, "as it was");
        File.CreateSymbolicLink(FilePath + ".new", victim);
        WriteRound();
        Assert.Equal("as it was", File.ReadAllText(victim));
        Assert.NotEmpty(Samples());
    }

    [Fact]
    public void End_DirectoryIsMissing_IsLoggedOncePerOutage()
    {
        string missing = Path.Combine(_directory.Path, "later");
        string path = Path.Combine(missing, "rule.prom");
        string log = Write(null, metrics =>
        {
            Round(metrics);
            Round(metrics);
            Directory.CreateDirectory(missing);
            Round(metrics);
            Assert.Contains("tcp_closer_rounds_total{status=\"done\"} 3", File.ReadAllLines(path));
            Directory.Delete(missing, recursive: true);
            Round(metrics);
            Assert.True(metrics.Failed);
        }, path);

        string[] lines = log.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal(2, lines.Length);
        Assert.All(lines, line => Assert.Contains(
            $"error writing the metrics '{path}': ENOENT (no such file or object); create its directory first", line, StringComparison.Ordinal));
    }

    [Fact]
    public void End_TemporaryFileIsADirectory_IsLoggedOnceWithTheRemedy()
    {
        Directory.CreateDirectory(FilePath + ".new");
        string log = Write(null, metrics =>
        {
            Round(metrics);
            Round(metrics);
            Assert.True(Directory.Exists(FilePath + ".new"));
            Assert.False(File.Exists(FilePath));
            Directory.Delete(FilePath + ".new");
            Round(metrics);
        });

        Assert.Contains("tcp_closer_rounds_total{status=\"done\"} 3", Samples());
        Assert.EndsWith(
            $" error writing the metrics '{FilePath}': EEXIST (file exists); they are first written to a file with .new appended " +
            "to the path: remove it, and give each run its own file\n", log, StringComparison.Ordinal);
        Assert.Single(log.Split('\n', StringSplitOptions.RemoveEmptyEntries));
    }

    [Theory]
    [Values("/dev/null", "/dev/stdout", "/tmp")]
    public void End_PathIsNotARegularFile_FailsAndKeepsIt(string path)
    {
        FileAttributes before = File.GetAttributes(path);
        Write(null, static metrics =>
        {
            Round(metrics);
            Assert.True(metrics.Failed);
        }, path);
        Assert.Equal(before, File.GetAttributes(path));
        Assert.False(File.Exists(path + ".new"));
    }

    [GeneratedRegex("(_timestamp_seconds{.*}) [0-9]{10}\\.[0-9]{1,6}$", RegexOptions.Multiline)]
    private static partial Regex TimestampSample();

    /// <summary>Reports rounds to the metrics of a rule. Returns what is logged.</summary>
    private string Write(string? rule, Action<MetricsFile> rounds, string? path = null) =>
        LogText.Of(log => rounds(new MetricsFile(path ?? FilePath, rule, log)));

    private void WriteRound(string? rule = null) => Write(rule, static metrics => Round(metrics));

    /// <summary>A round in which a connection gets each outcome.</summary>
    private static void Round(MetricsFile metrics, ExitStatus status = ExitStatus.Done, int matched = 30, ulong[]? wouldClose = null)
    {
        var counts = new Counts { Matched = matched };
        ConnectionList list = Connections.List(null, [.. Enum.GetValues<Outcome>()[1..].Select(static outcome => new Connection { Outcome = outcome })]);
        for (int i = 0; i < list.Count; i++)
        {
            counts.Count(list[i].Outcome);
            metrics.Completed(list, i);
        }

        counts.WouldClose = 1;
        metrics.Begin(null!);
        wouldClose ??= [(ulong)matched];
        metrics.WouldClose(
            Connections.List(null, [.. wouldClose.Select(static cookie => new Connection { Cookie = cookie })]), new SockDestroyer(leavesUnsupported: false));
        metrics.End(status, counts, TimeSpan.FromMilliseconds(12.5), isQuiet: true);
    }

    private string[] Samples() => [.. File.ReadAllLines(FilePath).Where(static line => !line.StartsWith('#'))];
}
