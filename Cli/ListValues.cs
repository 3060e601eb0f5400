using System.Text;
using TcpCloser.Interop;
using TcpCloser.Proc;
using TcpCloser.Rules;

namespace TcpCloser.Cli;

/// <summary>Comma-separated ports, ranges, and names of /etc/services: <c>22,80,8000-8999,postgresql</c>.</summary>
internal static class PortList
{
    private const string Wanted = "ports are numbers from 1 to 65535, ranges or names from /etc/services, separated by commas, such as 22,80,8000-8999";

    /// <summary>Adds the ports of the list.</summary>
    /// <exception cref="UsageException">An item is not a port, a range or the name of a service.</exception>
    public static void Parse(string option, string list, List<PortRange> ranges)
    {
        ServicesFile? services = null;
        foreach (Range part in list.AsSpan().Split(','))
        {
            ReadOnlySpan<char> item = list.AsSpan(part);
            if (!TryParse(item, out ushort first, out ushort last))
            {
                // Every service name has a letter (RFC 6335), so an invalid number is not looked up.
                services ??= HasLetter(item) ? ServicesFile.Read() : null;
                first = last = services?.PortOf(item) ?? 0;
                if (first == 0)
                {
                    throw UsageException.OfItem(option, item, list, Advice(option, item.ToString(), services?.Problem));
                }
            }

            if (first > last)
            {
                throw new UsageException(option, item.ToString(), $"the range runs backwards; write {last}-{first}");
            }

            ranges.Add(new PortRange(first, last));
        }
    }

    /// <summary>What the user should write instead of an invalid item.</summary>
    /// <param name="problem">Why /etc/services could not be read; null: it was read, or not needed.</param>
    private static string Advice(string option, string item, string? problem)
    {
        if (HostPort.TrySplit(item, out string host, out string port))
        {
            return $"an address and a port are two options: {option} {port} {(option is "-s" or "--sport" ? "--src" : "--dst")} {host}";
        }

        return SsSyntax.AdviceOnConnection(item) is { } advice ? advice
            : item.StartsWith(':') && SsSyntax.IsPortOrName(item[1..]) ? $"write the port without the colon: {option} {item[1..]}"
            : problem is null ? Wanted
            : $"{Wanted}; {problem}";
    }

    private static bool HasLetter(ReadOnlySpan<char> item) => item.ContainsAnyInRange('a', 'z') || item.ContainsAnyInRange('A', 'Z');

    private static bool TryParse(ReadOnlySpan<char> item, out ushort first, out ushort last)
    {
        int dash = item.IndexOf('-');
        last = 0;
        return TryParse(dash < 0 ? item : item[..dash], out first) && TryParse(dash < 0 ? item : item[(dash + 1)..], out last);
    }

    private static bool TryParse(ReadOnlySpan<char> digits, out ushort port)
    {
        bool parsed = Digits.TryParse(digits, ushort.MaxValue, out ulong number) && number > 0;
        port = (ushort)number;
        return parsed;
    }
}

/// <summary>Comma-separated TCP states: the names and groups of ss(8), and the spellings that ss and netstat(8) print.</summary>
internal static class StateList
{
    private const uint Bucket = 1u << TcpState.SynRecv | 1u << TcpState.TimeWait;
    private const uint Connected = StateSet.All & ~(StateSet.Listen | 1u << TcpState.Close);

    /// <summary>The groups that a list may name.</summary>
    private static readonly string[] s_groups = ["all", "connected", "synchronized", "bucket", "big"];

    /// <summary>Whether a word names a state or a group of states.</summary>
    public static bool IsState(string word) => Mask(word) != 0;

    /// <summary>The mask of a list of states. No group contains LISTEN: it must be named explicitly.</summary>
    /// <exception cref="UsageException">One of the words is neither a state nor a group.</exception>
    public static uint Parse(string option, string list)
    {
        uint states = 0;
        foreach (Range part in list.AsSpan().Split(','))
        {
            ReadOnlySpan<char> word = list.AsSpan(part);
            uint mask = Mask(word);
            if (mask == 0)
            {
                string[] names = Names();
                throw UsageException.OfItem(option, word, list, Suggestion.For(word.ToString(), names) ??
                    $"states are {string.Join(", ", names[..^s_groups.Length])}, and the groups {string.Join(", ", s_groups)}");
            }

            states |= mask;
        }

        return states;
    }

    /// <summary>All states in the order of the kernel's numbers, then the groups.</summary>
    private static string[] Names()
    {
        var names = new List<string>();
        for (byte state = 1; state < TcpState.Count; state++)
        {
            names.Add(Encoding.ASCII.GetString(StateSet.Name(state)));
        }

        return [.. names, .. s_groups];
    }

    private static uint Mask(ReadOnlySpan<char> typed)
    {
        string word = typed.ToString().ToLowerInvariant().Replace('_', '-');
        for (byte state = 1; state < TcpState.Count; state++)
        {
            if (Ascii.Equals(StateSet.Name(state), word))
            {
                return 1u << state;
            }
        }

        return word switch
        {
            "estab" => 1u << TcpState.Established,
            "syn-rcv" => 1u << TcpState.SynRecv,
            "fin-wait1" => 1u << TcpState.FinWait1,
            "fin-wait2" => 1u << TcpState.FinWait2,
            "close" or "unconn" or "unconnected" => 1u << TcpState.Close,
            "listening" => StateSet.Listen,
            "all" => StateSet.EveryConnection,
            "connected" => Connected,
            "synchronized" => Connected & ~(1u << TcpState.SynSent),
            "bucket" => Bucket,
            "big" => StateSet.All & ~(Bucket | StateSet.Listen),
            _ => 0,
        };
    }
}

/// <summary>Comma-separated users, by number or name.</summary>
internal static class UserList
{
    /// <summary>Adds the users of the list.</summary>
    /// <exception cref="UsageException">An item is not a user.</exception>
    public static void Parse(string option, string list, List<uint> uids)
    {
        foreach (string item in list.Split(','))
        {
            uids.Add(Digits.TryParse(item, uint.MaxValue - 1, out ulong uid) ? (uint)uid : UidOf(option, item, list));
        }
    }

    private static uint UidOf(string option, string user, string list)
    {
        int errno = PasswdFile.Find(user, out uint? uid);
        return uid ?? throw UsageException.OfItem(option, user, list, "a user is a number, or a name from /etc/passwd" +
            (errno == 0 ? "" : $"; reading /etc/passwd: {Errno.Describe(errno)}"));
    }
}

/// <summary>Comma-separated process ids.</summary>
internal static class PidList
{
    /// <summary>Adds the process ids of the list.</summary>
    /// <exception cref="UsageException">An item is not a process id.</exception>
    public static void Parse(string option, string list, List<int> pids)
    {
        foreach (string item in list.Split(','))
        {
            pids.Add(Digits.TryParse(item, int.MaxValue, out ulong pid) && pid > 0
                ? (int)pid
                : throw UsageException.OfItem(option, item, list, "a process ID is a number from 1"));
        }
    }
}

/// <summary>Comma-separated cgroups: paths, names of units, ids of containers.</summary>
internal static class CgroupList
{
    /// <summary>Adds the cgroups of the list. They need not exist.</summary>
    /// <exception cref="UsageException">An item cannot be a cgroup, or is the path of something else.</exception>
    public static void Parse(string option, string list, List<string> cgroups)
    {
        foreach (string item in list.Split(','))
        {
            cgroups.Add(CgroupPattern.Parse(item) is { } pattern && !pattern.IsOtherFile()
                ? item
                : throw UsageException.OfItem(option, item, list, CgroupPattern.Wanted));
        }
    }
}

/// <summary>Comma-separated Kubernetes pods.</summary>
internal static class PodList
{
    /// <summary>Adds the pods of the list.</summary>
    /// <exception cref="UsageException">An item cannot be a pod.</exception>
    public static void Parse(string option, string list, List<string> pods)
    {
        foreach (string item in list.Split(','))
        {
            pods.Add(PodPattern.Parse(item) is not null ? item : throw UsageException.OfItem(option, item, list, PodPattern.Wanted));
        }
    }
}

/// <summary>Comma-separated process names, as /proc/PID/comm has them.</summary>
internal static class CommList
{
    /// <summary>TASK_COMM_LEN without the NUL (linux/sched.h): no process name is longer, in bytes.</summary>
    private const int MaxComm = 15;

    /// <summary>Adds the process names of the list.</summary>
    /// <exception cref="UsageException">An item is longer than a process name can be, or empty.</exception>
    public static void Parse(string option, string list, List<string> comms)
    {
        foreach (string item in list.Split(','))
        {
            comms.Add(Encoding.UTF8.GetByteCount(item) is > 0 and <= MaxComm
                ? item
                : throw UsageException.OfItem(option, item, list, $"a process name has 1 to {MaxComm} bytes; the kernel cuts longer ones (see /proc/PID/comm)"));
        }
    }
}
