using System.Globalization;
using System.Text;
using TcpCloser.Cli;
using TcpCloser.Interop;

namespace TcpCloser.Report;

/// <summary>What a run will do, in words and units: <c>closing tcp ipv4 sport=22 state=established idle>=60ms by destroy</c>.</summary>
internal static class RunText
{
    /// <summary>Of long lists, the first line tells this many.</summary>
    private const int ListedValues = 20;

    public static string Describe(Options options)
    {
        var text = new StringBuilder(options.DryRun ? "dry run: would close tcp" : "closing tcp");
        text.Append(options.Families.HasFlag(Families.IPv4) ? " ipv4" : "").Append(options.Families.HasFlag(Families.IPv6) ? " ipv6" : "");
        List(text, "sport", options.SourcePorts, static range => Range(range));
        List(text, "dport", options.DestinationPorts, static range => Range(range));
        List(text, "src", options.Sources, static prefix => prefix.ToString());
        List(text, "dst", options.Destinations, static prefix => prefix.ToString());
        List(text, "not-src", options.NotSources, static prefix => prefix.ToString());
        List(text, "not-dst", options.NotDestinations, static prefix => prefix.ToString());
        List(text, "uid", options.Uids, static uid => uid.ToString(CultureInfo.InvariantCulture));
        List(text, "pid", options.Pids, static pid => pid.ToString(CultureInfo.InvariantCulture));
        List(text, "comm", options.Comms, Foreign);
        List(text, "interface", options.Interfaces, Foreign);
        List(text, "mark", options.Marks, static mark => mark.ToString());
        List(text, "cgroup", options.Cgroups, Foreign);
        List(text, "netns", options.Netns, Foreign);
        text.Append(options.AllNetns ? " all-netns" : "");
        text.Append(" state=").Append(States(options.States));
        Clocks(text, options);
        text.Append(" by ").Append(MethodName(options.Method));
        if (options.Method == Method.Kill)
        {
            text.Append(" signal=").Append(Signal.NameOf(options.Signal));
            text.Append(options.Grace is { } grace ? " grace=" + Duration(grace) : "");
        }

        text.Append(options.Max is { } max ? string.Create(CultureInfo.InvariantCulture, $" max={max}") : "");
        text.Append(options.Interval is { } interval ? " every " + Duration(interval) : "");
#if NO_SOCK_DESTROY
        text.Append(" (built without SOCK_DESTROY)");
#endif
        return text.ToString();
    }

    public static string MethodName(Method method) => method switch
    {
#if NO_SOCK_DESTROY
        Method.Auto => "disconnect",
#else
        Method.Auto => "destroy",
        Method.Destroy => "destroy",
#endif
        Method.Disconnect => "disconnect",
        _ => "kill",
    };

    private static void Clocks(StringBuilder text, Options options)
    {
        string by = options.IdleBy switch
        {
            IdleBy.Send => "(sent)",
            IdleBy.Both => "(both)",
            _ => "",
        };
        text.Append(options.IdleTime > TimeSpan.Zero ? $" idle{by}>={Duration(options.IdleTime)}" : "");
        text.Append(options.LastRecvLimit > TimeSpan.Zero ? $" idle{by}<{Duration(options.LastRecvLimit)}" : "");
        text.Append(options.NoAckFor > TimeSpan.Zero ? $" no-ack>={Duration(options.NoAckFor)}" : "");
    }

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

    private static string Range(PortRange range) => range.First == range.Last
        ? range.First.ToString(CultureInfo.InvariantCulture)
        : string.Create(CultureInfo.InvariantCulture, $"{range.First}-{range.Last}");

    private static string Foreign(string value)
    {
        string escaped = Escape.Text(value);
        return escaped.Contains(' ') ? $"\"{escaped}\"" : escaped;
    }

    private static void List<T>(StringBuilder text, string name, IReadOnlyList<T> values, Func<T, string> write)
    {
        for (int i = 0; i < Math.Min(values.Count, ListedValues); i++)
        {
            text.Append(i == 0 ? $" {name}=" : ",").Append(write(values[i]));
        }

        if (values.Count > ListedValues)
        {
            text.Append(CultureInfo.InvariantCulture, $",(and {values.Count - ListedValues} more)");
        }
    }

    private static string States(uint states)
    {
        var text = new StringBuilder();
        for (byte state = 1; state < TcpState.Count; state++)
        {
            if ((states >> state & 1) != 0)
            {
                text.Append(text.Length == 0 ? "" : ",").Append(Encoding.UTF8.GetString(StateList.Name(state)));
            }
        }

        return text.ToString();
    }
}
