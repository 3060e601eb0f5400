using System.Globalization;
using System.Text;
using TcpCloser.Cli;
using TcpCloser.Interop;
using TcpCloser.Proc;
using TcpCloser.Rules;

namespace TcpCloser.Report;

/// <summary>The first log line, which describes the run: <c>closing tcp ipv4 sport=22 state=established idle>=60ms by destroy</c>.</summary>
internal static class RunText
{
    /// <summary>Long lists are cut after this many values.</summary>
    private const int MaxShownValues = 20;

    public static string Describe(Rule rule, RunOptions run)
    {
        var text = new StringBuilder(run.GroupBy is { } key ? $"counting by {GroupKeyName.Of(key)} tcp" : (run.DryRun, rule.Method == Method.Keepalive) switch
        {
            (true, true) => "dry run: would enable keepalive on tcp",
            (true, false) => "dry run: would close tcp",
            (false, true) => "enabling keepalive on tcp",
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
        List(text, "not-uid", rule.NotUids, static uid => uid.ToString(CultureInfo.InvariantCulture));
        List(text, "pid", rule.Pids, static pid => pid.ToString(CultureInfo.InvariantCulture));
        List(text, "comm", rule.Comms, Untrusted);
        List(text, "not-comm", rule.NotComms, Untrusted);
        List(text, "interface", rule.Interfaces, Untrusted);
        List(text, "mark", rule.Marks, static mark => mark.ToString());
        List(text, "cgroup", rule.Cgroups, Untrusted);
        List(text, "not-cgroup", rule.NotCgroups, Untrusted);
        List(text, "pod", rule.Pods, Untrusted);
        List(text, "only", rule.Only, Untrusted);
        List(text, "netns", rule.Netns, Untrusted);
        text.Append(rule.AllNetns ? " all-netns" : "");
        text.Append(" state=").Append(States(rule.States));
        Clocks(text, rule);
        text.Append(rule.MatchedFor > TimeSpan.Zero ? $" matched-for={Duration(rule.MatchedFor)}" : "");
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
        text.Append(rule.Keep is { } quota ? string.Create(CultureInfo.InvariantCulture, $" keep={quota.Count}/{GroupKeyName.Of(quota.Key)}") : "");
        text.Append(rule.Limit is { } limit ? string.Create(CultureInfo.InvariantCulture, $" limit={limit}") : "");
        text.Append(rule.Max is { } max ? string.Create(CultureInfo.InvariantCulture, $" max={max}") : "");
        text.Append(run.Interval is { } interval ? " every " + Duration(interval) : "");
        text.Append(MethodName.HasDestroy ? "" : " (built without SOCK_DESTROY)");
        return text.ToString();
    }

    /// <summary>The method; for auto, also the methods it may use.</summary>
    private static string MethodOf(Method method) =>
        MethodName.Of(method) + (method != Method.Auto ? "" : MethodName.HasDestroy ? " (destroy, else disconnect)" : " (disconnect)");

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

    /// <summary>The time in the largest unit that needs no fraction.</summary>
    public static string Duration(TimeSpan time)
    {
        long ms = (long)time.TotalMilliseconds;
        (long unit, string name) = ms == 0 ? (1_000L, "s")
            : ms % 86_400_000 == 0 ? (86_400_000, "d")
            : ms % 3_600_000 == 0 ? (3_600_000, "h")
            : ms % 60_000 == 0 ? (60_000, "m")
            : ms % 1_000 == 0 ? (1_000L, "s")
            : (1, "ms");
        return (ms / unit).ToString(CultureInfo.InvariantCulture) + name;
    }

    private static string Range(PortRange range) => range.First == range.Last
        ? range.First.ToString(CultureInfo.InvariantCulture)
        : string.Create(CultureInfo.InvariantCulture, $"{range.First}-{range.Last}");

    /// <summary>Text from outside: escaped, and quoted if it contains a space.</summary>
    public static string Untrusted(string value)
    {
        string escaped = Escape.Text(value);
        return escaped.Contains(' ') ? $"\"{escaped}\"" : escaped;
    }

    private static void List<T>(StringBuilder text, string name, IReadOnlyList<T> values, Func<T, string> write)
    {
        for (int i = 0; i < Math.Min(values.Count, MaxShownValues); i++)
        {
            text.Append(i == 0 ? $" {name}=" : ",").Append(write(values[i]));
        }

        if (values.Count > MaxShownValues)
        {
            text.Append(CultureInfo.InvariantCulture, $",(and {values.Count - MaxShownValues} more)");
        }
    }

    private static string States(uint states)
    {
        var text = new StringBuilder();
        for (byte state = 1; state < TcpState.Count; state++)
        {
            if ((states >> state & 1) != 0)
            {
                text.Append(text.Length == 0 ? "" : ",").Append(Encoding.UTF8.GetString(StateSet.Name(state)));
            }
        }

        return text.ToString();
    }
}

/// <summary>The user who started the run, for its first log line.</summary>
internal static class Starter
{
    /// <summary>The loginuid of a process that no login started, such as a service (AUDIT_UID_UNSET in linux/audit.h).</summary>
    private const uint NoLogin = uint.MaxValue;

    /// <summary><c> user=root sudo_user=alice</c>: the user, and the user behind sudo(8) or the login if it is a different one.</summary>
    public static string Describe()
    {
        _ = ProcFile.ReadText("/proc/self/loginuid\0"u8, out string login);
        return Describe(Unistd.getuid(), Environment.GetEnvironmentVariable("SUDO_USER"),
            Digits.TryParse(login.AsSpan().TrimEnd(), uint.MaxValue, out ulong loginUid) ? (uint)loginUid : NoLogin, PasswdFile.NameOf);
    }

    /// <param name="sudoUser">The value of SUDO_USER, which sudo(8) sets; null: not set.</param>
    /// <param name="nameOf">Returns the name of a uid; null: it has none.</param>
    public static string Describe(uint uid, string? sudoUser, uint loginUid, Func<uint, string?> nameOf)
    {
        string behind = !string.IsNullOrEmpty(sudoUser) ? $" sudo_user={RunText.Untrusted(sudoUser)}"
            : loginUid != NoLogin && loginUid != uid ? $" login_user={Name(loginUid)}"
            : "";
        return $" user={Name(uid)}{behind}";

        string Name(uint user) => RunText.Untrusted(nameOf(user) ?? user.ToString(CultureInfo.InvariantCulture));
    }
}
