using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using TcpCloser.Diag;
using TcpCloser.Interop;
using TcpCloser.Kill;
using TcpCloser.Rules;

namespace TcpCloser.Report;

/// <summary>
/// Writes the counters of each round to a file for node_exporter's textfile collector, in the text format of Prometheus. Every counter
/// exists from the first round on: Prometheus cannot compute a rate from a counter that starts at 1.
/// </summary>
/// <param name="path">The file. It is written to a temporary file and renamed.</param>
/// <param name="rule">The name of the rule (<c>--name</c>); null: none.</param>
/// <param name="log">Reports that the file cannot be written.</param>
internal sealed class MetricsFile(string path, string? rule, Log log) : IObserver
{
    private const uint Mode = 0x1a4; // 0644

    /// <summary>The exit statuses that a round can have.</summary>
    private static readonly ExitStatus[] s_statuses = [ExitStatus.Done, ExitStatus.Incomplete, ExitStatus.NotPossible, ExitStatus.Refused];

    private readonly TextBuffer _text = new();
    private readonly string _ruleLabel = rule is null ? "" : $"rule=\"{Escaped(rule)}\"";
    private readonly byte[] _path = Encoding.UTF8.GetBytes(path + '\0');

    /// <summary>The temporary file. It must not end in .prom: node_exporter reads *.prom.</summary>
    private readonly byte[] _newPath = Encoding.UTF8.GetBytes(path + ".new\0");

    private readonly long[] _rounds = new long[s_statuses.Length];
    private readonly long[] _outcomes = new long[OutcomeInfo.Count];
    private readonly Counts _totals = new();
    private readonly Repeats _repeats = new(isOn: true);
    private long _skipped;
    private int _errno;

    /// <summary>Whether the file could not be written after some round.</summary>
    public bool Failed { get; private set; }

    public void Completed(ConnectionList connections, int index) => _outcomes[(int)connections[index].Outcome]++;

    public void Begin(RoundContext round) => _repeats.BeginRound();

    /// <summary>A connection that would be closed counts once, as if it had been closed, however many rounds find it again.</summary>
    public void WouldClose(ConnectionList candidates, ICloseMethod method)
    {
        for (int i = 0; i < candidates.Count; i++)
        {
            Outcome outcome = candidates[i].Outcome;
            _outcomes[(int)outcome] += outcome == Outcome.Pending && _repeats.IsRepeated(candidates[i].Cookie, outcome) ? 0 : 1;
        }
    }

    public void End(ExitStatus status, Counts counts, TimeSpan time, bool isQuiet)
    {
        _rounds[Array.IndexOf(s_statuses, status)]++;
        _skipped += counts.Matched - counts.Idle;
        _totals.Add(counts);
        _text.Clear();
        Compose(counts, time);
        int errno = Write();
        if (errno != 0 && errno != _errno)
        {
            log.Write(Level.Error, Remedies.Describe(new Failure(Operation.WriteMetrics, errno, $"'{Escape.Text(path)}'")));
            log.Flush();
        }

        _errno = errno;
        Failed |= errno != 0;
    }

    /// <summary>
    /// Removes the file of a service that was stopped: its last values would be exported for ever, and the age of the last round would
    /// raise an alarm. A service that fails or is killed leaves the file, because then the alarm is right.
    /// </summary>
    public unsafe void Remove()
    {
        fixed (byte* path = _path)
        {
            if (!Stat.ExistsAndIsNotRegular(_path))
            {
                _ = Unistd.unlinkat(Fcntl.AT_FDCWD, path, 0);
            }
        }
    }

    private void Compose(Counts counts, TimeSpan time)
    {
        Describe("build_info", "gauge", "The version that wrote this file.");
        // It also needs the rule: node_exporter rejects a sample that occurs in two files.
        Sample("build_info", "version", Escaped(BuildInfo.Version), 1);

        Describe("rounds_total", "counter", "Rounds, by the exit status that a single run would have had.");
        for (int i = 0; i < s_statuses.Length; i++)
        {
            Sample("rounds_total", "status", ExitStatusName.Of(s_statuses[i]), _rounds[i]);
        }

        Describe("connections_total", "counter", "Connections that matched, by outcome.");
        for (Outcome outcome = 0; (int)outcome < OutcomeInfo.Count; outcome++)
        {
            OutcomeInfo info = OutcomeInfo.Of(outcome);
            if (info.Counted is not (Counted.Matched or Counted.Answered or Counted.Unproved or Counted.Unasked or Counted.OverLimit))
            {
                Sample("connections_total", "outcome", Encoding.ASCII.GetString(info.Name), _outcomes[(int)outcome]);
            }
        }

        Sample("connections_total", "outcome", "answered", _totals.Answered);
        Sample("connections_total", "outcome", "unproved", _totals.Unproved);
        Sample("connections_total", "outcome", "unasked", _totals.Unasked);
        Sample("connections_total", "outcome", "over_limit", _totals.OverLimit);
        Sample("connections_total", "outcome", "left_alone",
            _skipped - _totals.Answered - _totals.Unproved - _totals.Unasked - _totals.OverLimit);
        Describe("matched_connections", "gauge", "Connections that matched in the last round.");
        Sample("matched_connections", counts.Matched);
        Describe("idle_connections", "gauge", "Connections that matched and were to be closed in the last round.");
        Sample("idle_connections", counts.Idle);
        Describe("unasked_connections", "gauge", "Connections whose peer could not be probed in the last round.");
        Sample("unasked_connections", counts.Unasked);
        Describe("not_found_connections", "gauge", "Connections that --only names and that did not match in the last round.");
        Sample("not_found_connections", counts.NotFound);
        Describe("last_round_timestamp_seconds", "gauge", "When the last round ended.");
        Sample("last_round_timestamp_seconds", (DateTime.UtcNow - DateTime.UnixEpoch).TotalSeconds);
        Describe("last_round_duration_seconds", "gauge", "How long the last round took.");
        Sample("last_round_duration_seconds", time.TotalSeconds);
    }

    private void Describe(string name, string type, string help) =>
        _text.Add($"# HELP tcp_closer_{name} {help}\n# TYPE tcp_closer_{name} {type}\n");

    private void Sample(string name, string label, string value, long number)
    {
        string separator = _ruleLabel.Length > 0 ? "," : "";
        _text.Add($"tcp_closer_{name}{{{_ruleLabel}{separator}{label}=\"{value}\"}} ").Add((ulong)number).Add("\n"u8);
    }

    private void Sample(string name, double number)
    {
        string labels = _ruleLabel.Length > 0 ? $"{{{_ruleLabel}}}" : "";
        _text.Add($"tcp_closer_{name}{labels} ").Add(number.ToString("0.######", CultureInfo.InvariantCulture)).Add("\n"u8);
    }

    /// <summary>Escapes the value of a label.</summary>
    private static string Escaped(string value) =>
        value.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal).Replace("\n", "\\n", StringComparison.Ordinal);

    /// <summary>Writes a temporary file and renames it. Returns 0 or the errno.</summary>
    private unsafe int Write()
    {
        fixed (byte* to = _path, from = _newPath)
        {
            // Never replace a device or a link.
            if (Stat.ExistsAndIsNotRegular(_path))
            {
                return Errno.EINVAL;
            }

            // Remove what a killed run left, or a link that somebody planted there; O_EXCL follows no link.
            _ = Unistd.unlinkat(Fcntl.AT_FDCWD, from, 0);
            int errno = Fcntl.Open(Fcntl.AT_FDCWD, _newPath, Fcntl.O_WRONLY | Fcntl.O_CREAT | Fcntl.O_EXCL, out int fd, Mode);
            if (errno != 0)
            {
                return errno;
            }

            errno = new OutputStream(fd, new StallPolicy(null)).Write(_text.Written);
            if (errno == 0 && SysStat.fchmod(fd, Mode) < 0) // whatever the umask is
            {
                errno = Marshal.GetLastPInvokeError();
            }

            if (Unistd.close(fd) < 0 && errno == 0)
            {
                errno = Marshal.GetLastPInvokeError();
            }

            if (errno == 0 && Stdio.renameat(Fcntl.AT_FDCWD, from, Fcntl.AT_FDCWD, to) < 0)
            {
                errno = Marshal.GetLastPInvokeError();
            }

            if (errno != 0)
            {
                _ = Unistd.unlinkat(Fcntl.AT_FDCWD, from, 0);
            }

            return errno;
        }
    }
}
