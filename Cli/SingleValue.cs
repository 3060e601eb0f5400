using System.Text;
using TcpCloser.Interop;

namespace TcpCloser.Cli;

/// <summary>The values that are one word: each is checked, or refused in one line that says what would be right.</summary>
internal static class SingleValue
{
    /// <summary>The longest name of a run, in bytes: it stands in every line.</summary>
    private const int MaxName = 64;

    public static string Device(string option, string value) =>
        IsDevice(value)
            ? value
            : throw new UsageException(option, value, "the name of a network device, such as eth0");

    public static string Path(string option, string value) =>
        value.Length > 0 ? value : throw new UsageException(option, value, "a path");

    public static string Netns(string option, string value)
    {
        bool valid = value.StartsWith("pid:", StringComparison.Ordinal)
            ? IsPid(value.AsSpan(4))
            : value.Length > 0 && value is not ("." or "..");
        if (!valid)
        {
            throw new UsageException(option, value, "a name below /run/netns, a path, or pid:N");
        }

        if (IsPid(value) && !MayExist("/run/netns/" + value))
        {
            throw new UsageException(option, value, $"there is no /run/netns/{value}; the namespace of a process is written pid:{value}");
        }

        return value;
    }

    public static TimeSpan Probe(string option, string value)
    {
        TimeSpan time = TimeValue.Parse(option, value, 1, TimeSpan.FromDays(1));
        return time >= TimeSpan.FromSeconds(3) && time <= TimeSpan.FromMinutes(5)
            ? time
            : throw new UsageException(option, value, "the peer is given from 3s to 5m to answer");
    }

    public static int Max(string option, string value) =>
        Digits.TryParse(value, int.MaxValue, out ulong max)
            ? (int)max
            : throw new UsageException(option, value, "a number of connections, 0 or more");

    public static int Signal(string option, string value)
    {
        int number = Digits.TryParse(value, Interop.Signal.Highest, out ulong digits) ? (int)digits : Interop.Signal.NumberOf(value);
        return number > 0 ? number : throw new UsageException(option, value, "a signal is a name such as TERM or SIGTERM, or a number from 1 to 64");
    }

    public static TimeSpan Interval(string option, string value, TimeSpan max)
    {
        TimeSpan interval = TimeValue.Parse(option, value, 1_000, max);
        return interval > TimeSpan.Zero
            ? interval
            : throw new UsageException(option, value, "an interval is longer than 0, such as 30s or 5m");
    }

    public static IdleBy IdleBy(string option, string value) => value switch
    {
        "recv" => Cli.IdleBy.Recv,
        "send" => Cli.IdleBy.Send,
        "both" => Cli.IdleBy.Both,
        _ => throw new UsageException(option, value, "recv, send or both"),
    };

    public static GroupKey GroupKey(string option, string value) => value switch
    {
        "port" => Cli.GroupKey.Port,
        "peer" => Cli.GroupKey.Peer,
        "process" => Cli.GroupKey.Process,
        "uid" => Cli.GroupKey.Uid,
        "state" => Cli.GroupKey.State,
        "netns" => Cli.GroupKey.Netns,
        _ => throw new UsageException(option, value, "port, peer, process, uid, state or netns"),
    };

    public static string Name(string option, string value) =>
        Encoding.UTF8.GetByteCount(value) is > 0 and <= MaxName
            ? value
            : throw new UsageException(option, value, $"a name of 1 to {MaxName} bytes");

    public static bool IsDevice(string name) =>
        Encoding.UTF8.GetByteCount(name) is > 0 and < NetIf.IFNAMSIZ && name.AsSpan().IndexOfAny('/', ' ', ':') < 0;

    private static bool IsPid(ReadOnlySpan<char> text) => Digits.TryParse(text, int.MaxValue, out ulong pid) && pid > 0;

    /// <summary>Whether there is such a file, or that cannot be known here.</summary>
    private static bool MayExist(string path)
    {
        int fd = Fcntl.Open(Fcntl.AT_FDCWD, Encoding.UTF8.GetBytes(path + '\0'), Fcntl.O_PATH);
        if (fd >= 0)
        {
            _ = Unistd.close(fd);
        }

        return fd is not (-Errno.ENOENT or -Errno.ENOTDIR);
    }
}
