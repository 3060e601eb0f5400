using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using TcpCloser.Cli;
using TcpCloser.Diag;
using TcpCloser.Interop;
using TcpCloser.Kill;

namespace TcpCloser.Report;

/// <summary>
/// Leaves the counts of each round in a file for node_exporter's textfile collector, in the text format of Prometheus. Every
/// counter is there from the first round on, at 0: a rate cannot be taken of one that begins at 1.
/// </summary>
/// <param name="path">The file. What is written stands beside it until it is whole.</param>
/// <param name="rule">The name of the rule; null: it has none.</param>
/// <param name="log">Is told that the file cannot be written.</param>
internal sealed class MetricsFile(string path, string? rule, Log log) : IObserver
{
    private const uint Mode = 0x1a4; // 0644

    /// <summary>What <see cref="ExitStatus"/> a round can have.</summary>
    private static readonly ExitStatus[] s_statuses = [ExitStatus.Done, ExitStatus.Incomplete, ExitStatus.NotPossible, ExitStatus.Refused];

    private readonly TextBuffer _text = new();
    private readonly string _ruleLabel = rule is null ? "" : $"rule=\"{Escaped(rule)}\"";
    private readonly byte[] _path = Encoding.UTF8.GetBytes(path + '\0');

    /// <summary>node_exporter reads what is named *.prom.</summary>
    private readonly byte[] _newPath = Encoding.UTF8.GetBytes(path + ".new\0");

    private readonly long[] _rounds = new long[s_statuses.Length];
    private readonly long[] _outcomes = new long[(int)Outcome.NotReached + 1];
    private long _leftAlone;
    private int _errno;

    /// <summary>Whether a round's counts could not be written.</summary>
    public bool Failed { get; private set; }

    public void Completed(ConnectionList connections, int index) => _outcomes[(int)connections[index].Outcome]++;

    public void WouldClose(ConnectionList candidates, ICloseMethod method)
    {
        for (int i = 0; i < candidates.Count; i++)
        {
            Outcome outcome = candidates[i].Outcome;
            _outcomes[(int)outcome] += outcome == Outcome.Idle ? 0 : 1; // those that would be closed are counted at the end
        }
    }

    public void End(ExitStatus status, Counts counts, TimeSpan time, bool isQuiet)
    {
        _rounds[Array.IndexOf(s_statuses, status)]++;
        _outcomes[(int)Outcome.Idle] += counts.WouldClose;
        _leftAlone += counts.Matched - counts.Idle;
        _text.Clear();
        Compose(counts, time);
        int errno = Write();
        if (errno != 0 && errno != _errno)
        {
            log.Write(Level.Error, Remedies.Describe(Operation.WriteMetrics, errno, $"'{Escape.Text(path)}'"));
            log.Flush();
        }

        _errno = errno;
        Failed |= errno != 0;
    }

    private void Compose(Counts counts, TimeSpan time)
    {
        Describe("build_info", "gauge", "The version that wrote this file.");
        // With the rule, as all others: node_exporter refuses a sample that two of its files have.
        Sample("build_info", "version", Escaped(BuildInfo.Version), 1);

        Describe("rounds_total", "counter", "Rounds, by the exit status that a single run would have had.");
        for (int i = 0; i < s_statuses.Length; i++)
        {
            Sample("rounds_total", "status", ExitStatusName.Of(s_statuses[i]), _rounds[i]);
        }

        Describe("connections_total", "counter", "Connections that matched, by what became of them.");
        for (Outcome outcome = Outcome.Idle; outcome <= Outcome.NotReached; outcome++)
        {
            OutcomeInfo info = OutcomeInfo.Of(outcome);
            if (info.Counted != Counted.Matched)
            {
                Sample("connections_total", "outcome", Encoding.ASCII.GetString(info.Name), _outcomes[(int)outcome]);
            }
        }

        Sample("connections_total", "outcome", "left_alone", _leftAlone);
        Describe("matched_connections", "gauge", "Connections that matched in the last round.");
        Sample("matched_connections", counts.Matched);
        Describe("idle_connections", "gauge", "Of those, the ones that were to be closed.");
        Sample("idle_connections", counts.Idle);
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

    /// <summary>A label's value, as the text format wants it.</summary>
    private static string Escaped(string value) =>
        value.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal).Replace("\n", "\\n", StringComparison.Ordinal);

    /// <summary>Writes a file beside the last one and puts it in its place. Returns 0 or the errno.</summary>
    private unsafe int Write()
    {
        fixed (byte* to = _path, from = _newPath)
        {
            // A device or a link has that name for somebody else.
            if (Stat.IsOtherThanRegular(_path))
            {
                return Errno.EINVAL;
            }

            // What a run that was killed has left, or a link that somebody has laid there, is not written through.
            _ = Unistd.unlinkat(Fcntl.AT_FDCWD, from, 0);
            int fd = Fcntl.Open(Fcntl.AT_FDCWD, _newPath, Fcntl.O_WRONLY | Fcntl.O_CREAT | Fcntl.O_EXCL, Mode);
            if (fd < 0)
            {
                return -fd;
            }

            int errno = new OutputStream(fd, new Patience(null)).Write(_text.Written);
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
