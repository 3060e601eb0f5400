using System.Globalization;
using System.Text;
using TcpCloser.Cli;
using TcpCloser.Interop;

namespace TcpCloser.Report;

/// <summary>What a run will do, in words and units: <c>closing tcp ipv4 sport=22 state=established idle>=60ms by destroy</c>.</summary>
internal static class RunText
{
    /// <summary>Of long lists, the first line tells this many.</summary>
    private const int ListedRanges = 20;

    public static string Describe(Options options)
    {
        var text = new StringBuilder(options.DryRun ? "dry run: would close tcp" : "closing tcp");
        text.Append(options.Families.HasFlag(Families.IPv4) ? " ipv4" : "").Append(options.Families.HasFlag(Families.IPv6) ? " ipv6" : "");
        Ports(text, " sport=", options.SourcePorts);
        Ports(text, " dport=", options.DestinationPorts);
        text.Append(" state=").Append(States(options.States));
        if (options.IdleTime > TimeSpan.Zero)
        {
            text.Append(" idle>=").Append(Duration(options.IdleTime));
        }

        if (options.LastRecvLimit > TimeSpan.Zero)
        {
            text.Append(" last-recv<").Append(Duration(options.LastRecvLimit));
        }

        text.Append(" by ").Append(MethodName(options.Method));
        if (options.Method == Method.Kill)
        {
            text.Append(" signal=").Append(Signal.NameOf(options.Signal));
        }

        if (options.Interval is { } interval)
        {
            text.Append(" every ").Append(Duration(interval));
        }

#if NO_SOCK_DESTROY
        text.Append(" (built without SOCK_DESTROY)");
#endif
        return text.ToString();
    }

    public static string MethodName(Method method) => method switch
    {
#if !NO_SOCK_DESTROY
        Method.Destroy => "destroy",
#endif
        _ => "kill",
    };

    /// <summary>The time in the largest unit that holds it without a fraction.</summary>
    private static string Duration(TimeSpan time)
    {
        long ms = (long)time.TotalMilliseconds;
        (long unit, string name) = ms % 86_400_000 == 0 ? (86_400_000, "d")
            : ms % 3_600_000 == 0 ? (3_600_000, "h")
            : ms % 60_000 == 0 ? (60_000, "m")
            : ms % 1_000 == 0 ? (1_000L, "s")
            : (1, "ms");
        return (ms / unit).ToString(CultureInfo.InvariantCulture) + name;
    }

    private static void Ports(StringBuilder text, string name, IReadOnlyList<PortRange> ranges)
    {
        for (int i = 0; i < Math.Min(ranges.Count, ListedRanges); i++)
        {
            text.Append(i == 0 ? name : ",").Append(ranges[i].First);
            if (ranges[i].Last != ranges[i].First)
            {
                text.Append('-').Append(ranges[i].Last);
            }
        }

        if (ranges.Count > ListedRanges)
        {
            text.Append(CultureInfo.InvariantCulture, $",(and {ranges.Count - ListedRanges} more)");
        }
    }

    private static string States(uint states)
    {
        var text = new StringBuilder();
        for (byte state = 1; state < TcpState.Count; state++)
        {
            if ((states >> state & 1) != 0)
            {
                text.Append(text.Length == 0 ? "" : ",").Append(StateList.Name(state));
            }
        }

        return text.ToString();
    }
}
