using System.Globalization;
using System.Text;
using TcpCloser.Interop;
using TcpCloser.Rules;

namespace TcpCloser.Cli;

/// <summary>Parses values that are a single word. An invalid one is refused in one line that names what would be valid.</summary>
internal static class SingleValue
{
    /// <summary>The longest name of a run, in bytes: every log line has it.</summary>
    private const int MaxName = 64;

    private const string KeepaliveWanted = "expected IDLE[,INTERVAL[,COUNT]], such as 60s,10s,6: times with a unit, in whole seconds from 1s to 32767s, then 1 to 127 probes";

    public static string Device(string option, string value) =>
        IsDevice(value)
            ? value
            : throw new UsageException(option, value, "expected the name of a network device, such as eth0");

    public static string Path(string option, string value) =>
        value.Length > 0 ? value : throw new UsageException(option, value, "expected a path");

    public static SocketMark Mark(string option, string value)
    {
        int slash = value.IndexOf('/');
        uint mask = uint.MaxValue;
        if (!TryNumber(slash < 0 ? value : value.AsSpan(0, slash), out uint mark) || (slash >= 0 && !TryNumber(value.AsSpan(slash + 1), out mask)))
        {
            throw new UsageException(option, value, "a mark is a number or NUMBER/MASK, decimal or hexadecimal, such as 0x10/0xff");
        }

        return (mark & ~mask) == 0
            ? new SocketMark(mark, mask)
            : throw new UsageException(option, value, "the mark has bits outside the mask, so nothing can match");
    }

    public static string Netns(string option, string value)
    {
        bool valid = value.StartsWith("pid:", StringComparison.Ordinal)
            ? IsPid(value.AsSpan(4))
            : value.Length > 0 && value is not ("." or "..");
        if (!valid)
        {
            throw new UsageException(option, value, "expected a name in /run/netns, a path, or pid:N");
        }

        if (IsPid(value) && !MayExist("/run/netns/" + value))
        {
            throw new UsageException(option, value, $"/run/netns/{value} does not exist; for the namespace of a process write pid:{value}");
        }

        return value;
    }

    public static TimeSpan Probe(string option, string value)
    {
        TimeSpan time = TimeValue.Parse(option, value, 1, TimeSpan.FromDays(1));
        return time >= TimeSpan.FromSeconds(3) && time <= TimeSpan.FromMinutes(5)
            ? time
            : throw new UsageException(option, value, "expected a TIME from 3s to 5m" +
                (char.IsAsciiDigit(value[^1]) ? "; a number without a unit is milliseconds" : ""));
    }

    public static int Max(string option, string value) =>
        Digits.TryParse(value, int.MaxValue, out ulong max)
            ? (int)max
            : throw new UsageException(option, value, "expected a number of connections, 0 or more");

    public static int Signal(string option, string value)
    {
        int number = Digits.TryParse(value, Interop.Signal.Max, out ulong digits) ? (int)digits : Interop.Signal.NumberOf(value);
        return number > 0 ? number : throw new UsageException(option, value, "a signal is a name such as TERM or SIGTERM, or a number from 1 to 64");
    }

    public static Method Method(string option, string value)
    {
        foreach (Method method in MethodName.All)
        {
            if (MethodName.Of(method) == value)
            {
                return method;
            }
        }

        throw new UsageException(option, value, (MethodName.HasDestroy, value) switch
        {
            (true, _) => "expected auto, destroy, disconnect, kill or keepalive",
            (false, "destroy") => "this build has no SOCK_DESTROY; expected auto, disconnect, kill or keepalive",
            (false, _) => "expected auto, disconnect, kill or keepalive",
        });
    }

    public static KeepaliveTimes Keepalive(string option, string value)
    {
        string[] parts = value.Split(',');
        ulong count = (ulong)KeepaliveTimes.Default.Count;
        if (parts.Length > 3 || (parts.Length == 3 && !(Digits.TryParse(parts[2], KeepaliveTimes.MaxCount, out count) && count > 0)))
        {
            throw new UsageException(option, value, KeepaliveWanted);
        }

        return new KeepaliveTimes(Seconds(option, value, parts[0]), parts.Length > 1 ? Seconds(option, value, parts[1]) : KeepaliveTimes.Default.Interval, (int)count);
    }

    public static TimeSpan Interval(string option, string value, TimeSpan max)
    {
        TimeSpan interval = TimeValue.Parse(option, value, 1_000, max);
        return interval > TimeSpan.Zero
            ? interval
            : throw new UsageException(option, value, "an interval must be longer than 0, such as 30s or 5m");
    }

    public static IdleBy IdleBy(string option, string value) => value switch
    {
        "recv" => Rules.IdleBy.Recv,
        "send" => Rules.IdleBy.Send,
        "both" => Rules.IdleBy.Both,
        _ => throw new UsageException(option, value, "expected recv, send or both"),
    };

    public static GroupKey GroupKey(string option, string value)
    {
        foreach (GroupKey key in GroupKeyName.All)
        {
            if (value == GroupKeyName.Of(key))
            {
                return key;
            }
        }

        throw new UsageException(option, value, "expected port, peer, process, command, uid, unit, pod, state or netns");
    }

    public static KeepQuota Keep(string option, string value)
    {
        int slash = value.IndexOf('/');
        return slash > 0 && Digits.TryParse(value.AsSpan(0, slash), int.MaxValue, out ulong count) && count > 0
            ? new KeepQuota((int)count, GroupKey(option, value[(slash + 1)..]))
            : throw new UsageException(option, value, "expected N/KEY with N from 1 and a KEY of --group-by, such as 2/peer");
    }

    public static string Name(string option, string value) =>
        Encoding.UTF8.GetByteCount(value) is > 0 and <= MaxName
            ? value
            : throw new UsageException(option, value, $"a name has 1 to {MaxName} bytes");

    public static bool IsDevice(string name) =>
        Encoding.UTF8.GetByteCount(name) is > 0 and < NetIf.IFNAMSIZ && name.AsSpan().IndexOfAny('/', ' ', ':') < 0;

    private static int Seconds(string option, string value, string part)
    {
        TimeSpan time = TimeValue.Parse(option, part, 1, TimeValue.KernelClock);
        return time.Ticks % TimeSpan.TicksPerSecond == 0 && time.TotalSeconds is >= 1 and <= KeepaliveTimes.MaxSeconds
            ? (int)time.TotalSeconds
            : throw new UsageException(option, value, KeepaliveWanted);
    }

    private static bool TryNumber(ReadOnlySpan<char> text, out uint value)
    {
        if (text.StartsWith("0x", StringComparison.OrdinalIgnoreCase))
        {
            return uint.TryParse(text[2..], NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out value);
        }

        bool parsed = Digits.TryParse(text, uint.MaxValue, out ulong digits);
        value = (uint)digits;
        return parsed;
    }

    private static bool IsPid(ReadOnlySpan<char> text) => Digits.TryParse(text, int.MaxValue, out ulong pid) && pid > 0;

    /// <summary>Whether the file exists, or its existence cannot be determined.</summary>
    private static bool MayExist(string path)
    {
        int errno = Fcntl.Open(Fcntl.AT_FDCWD, Encoding.UTF8.GetBytes(path + '\0'), Fcntl.O_PATH, out int fd);
        if (errno == 0)
        {
            _ = Unistd.close(fd);
        }

        return errno is not (Errno.ENOENT or Errno.ENOTDIR);
    }
}

/// <summary>Numbers of decimal digits only: no sign, no white space.</summary>
internal static class Digits
{
    /// <summary>Parses a number; false: the text is not one, or it is over the maximum.</summary>
    public static bool TryParse(ReadOnlySpan<char> text, ulong max, out ulong value)
    {
        value = 0;
        foreach (char c in text)
        {
            if (!char.IsAsciiDigit(c) || value > (max - (ulong)(c - '0')) / 10)
            {
                return false;
            }

            value = value * 10 + (ulong)(c - '0');
        }

        return text.Length > 0;
    }
}
