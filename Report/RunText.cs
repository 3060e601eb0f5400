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

    public static string Describe(Rule rule, RunOptions run)
    {
        var text = new StringBuilder(run.GroupBy is { } key ? $"counting by {GroupTable.WordOf(key)} tcp" : (run.DryRun, rule.Method == Method.Keepalive) switch
        {
            (true, true) => "dry run: would cure tcp",
            (true, false) => "dry run: would close tcp",
            (false, true) => "curing tcp",
            (false, false) => "closing tcp",
        });
        text.Append(rule.Families.HasFlag(Families.IPv4) ? " ipv4" : "").Append(rule.Families.HasFlag(Families.IPv6) ? " ipv6" : "");
        List(text, "sport", rule.SourcePorts, static range => Range(range));
        List(text, "dport", rule.DestinationPorts, static range => Range(range));
        List(text, "src", rule.Sources, static prefix => prefix.ToString());
        List(text, "dst", rule.Destinations, static prefix => prefix.ToString());
        List(text, "not-src", rule.NotSources, static prefix => prefix.ToString());
        List(text, "not-dst", rule.NotDestinations, static prefix => prefix.ToString());
        List(text, "uid", rule.Uids, static uid => uid.ToString(CultureInfo.InvariantCulture));
        List(text, "pid", rule.Pids, static pid => pid.ToString(CultureInfo.InvariantCulture));
        List(text, "comm", rule.Comms, Untrusted);
        List(text, "interface", rule.Interfaces, Untrusted);
        List(text, "mark", rule.Marks, static mark => mark.ToString());
        List(text, "cgroup", rule.Cgroups, Untrusted);
        List(text, "netns", rule.Netns, Untrusted);
        text.Append(rule.AllNetns ? " all-netns" : "");
        text.Append(" state=").Append(States(rule.States));
        Clocks(text, rule);
        text.Append(rule.SrcGone ? " src-gone" : "");
        text.Append(rule.Probe > TimeSpan.Zero ? $" silent>={Duration(rule.Probe)}" : "");
        if (run.GroupBy is not null)
        {
            return text.ToString();
        }

        text.Append(" by ").Append(MethodOf(rule.Method));
        if (rule.Method == Method.Kill)
        {
            text.Append(" signal=").Append(Signal.NameOf(rule.Signal));
            text.Append(rule.Grace is { } grace ? " grace=" + Duration(grace) : "");
        }

        text.Append(rule.Method == Method.Keepalive ? $" keepalive={rule.Keepalive ?? KeepaliveTimes.Default}" : "");
        text.Append(rule.UserTimeout is { } timeout ? $" user-timeout={Duration(timeout)}" : "");
        text.Append(rule.Max is { } max ? string.Create(CultureInfo.InvariantCulture, $" max={max}") : "");
        text.Append(run.Interval is { } interval ? " every " + Duration(interval) : "");
#if NO_SOCK_DESTROY
        text.Append(" (built without SOCK_DESTROY)");
#endif
        return text.ToString();
    }

    /// <summary>What the method comes to, as far as it is known beforehand.</summary>
    public static string MethodOf(Method method) => method switch
    {
#if NO_SOCK_DESTROY
        Method.Auto => MethodName.Of(Method.Disconnect),
#else
        Method.Auto or Method.Destroy => MethodName.Of(Method.Destroy),
#endif
        Method.Disconnect or Method.Kill or Method.Keepalive => MethodName.Of(method),
    };

    private static void Clocks(StringBuilder text, Rule rule)
    {
        string by = rule.IdleBy switch
        {
            IdleBy.Send => "(sent)",
            IdleBy.Both => "(both)",
            IdleBy.Recv => "",
        };
        text.Append(rule.IdleTime > TimeSpan.Zero ? $" idle{by}>={Duration(rule.IdleTime)}" : "");
        text.Append(rule.LastRecvLimit > TimeSpan.Zero ? $" idle{by}<{Duration(rule.LastRecvLimit)}" : "");
        text.Append(rule.NoAckFor > TimeSpan.Zero ? $" no-ack>={Duration(rule.NoAckFor)}" : "");
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

    private static string Untrusted(string value)
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
