using System.Buffers.Text;
using System.Text;
using TcpCloser.Interop;
using TcpCloser.Proc;
using TcpCloser.Report;
using TcpCloser.Rules;

namespace TcpCloser.Run;

/// <summary>
/// Whether a service makes its rounds, according to the metrics that it writes: for probes of liveness, and for monitoring without
/// Prometheus.
/// </summary>
internal static class LastRound
{
    /// <summary>One missed round may be chance (a suspended machine, a slow disk), several are not.</summary>
    private const int Intervals = 3;

    /// <summary>Returns why the service does not make its rounds; null: it does.</summary>
    /// <param name="path">The file of its metrics.</param>
    public static string? Problem(Rule rule, TimeSpan interval, string path)
    {
        byte[] name = Encoding.UTF8.GetBytes(path + '\0');
        byte[] content = [];
        int errno = Stat.ExistsAndIsNotRegular(name) ? Errno.EINVAL : ProcFile.Read(Fcntl.AT_FDCWD, name, out content);
        if (errno != 0)
        {
            return Remedies.Describe(new Failure(Operation.ReadMetrics, errno, $"'{Escape.Text(path)}'"));
        }

        if (Sample(content, "\ntcp_closer_last_round_timestamp_seconds"u8) is not { } ended
            || Sample(content, "\ntcp_closer_last_round_duration_seconds"u8) is not { } took)
        {
            return $"'{Escape.Text(path)}' does not contain the metrics of a round";
        }

        // The round under way may probe or wait for longer than the last one did.
        double longest = Math.Max(took, (rule.Probe + (rule.Grace ?? TimeSpan.Zero)).TotalSeconds);
        double limit = Intervals * interval.TotalSeconds + longest;
        double age = (DateTime.UtcNow - DateTime.UnixEpoch).TotalSeconds - ended;
        return age < 0 ? "the last round ended in the future: the clock was set back"
            : age > limit ? $"the last round ended {Age(age)} ago; {Intervals} intervals and the time of a round are {Age(limit)}"
            : null;
    }

    /// <summary>The value of a sample, which follows the last space of its line; null: there is none.</summary>
    private static double? Sample(ReadOnlySpan<byte> content, ReadOnlySpan<byte> start)
    {
        int at = content.IndexOf(start);
        if (at < 0)
        {
            return null;
        }

        ReadOnlySpan<byte> line = content[(at + 1)..];
        int end = line.IndexOf((byte)'\n');
        line = end < 0 ? line : line[..end];
        return Utf8Parser.TryParse(line[(line.LastIndexOf((byte)' ') + 1)..], out double value, out _) ? value : null;
    }

    private static string Age(double seconds) =>
        Encoding.UTF8.GetString(new TextBuffer(16).AddTime((uint)Math.Min(seconds * 1000, uint.MaxValue - 1)).Written);
}
