using System.Text;

namespace TcpCloser.Cli;

/// <summary>The values that are one word: each is checked, or refused in one line that says what would be right.</summary>
internal static class SingleValue
{
    /// <summary>TASK_COMM_LEN without the NUL (linux/sched.h): no process name is longer, in bytes.</summary>
    private const int MaxComm = 15;

    public static uint Uid(string option, string value) =>
        Digits.TryParse(value, uint.MaxValue - 1, out ulong uid)
            ? (uint)uid
            : PasswdFile.UidOf(value) ?? throw new UsageException(option, value, "a user is a number, or a name that /etc/passwd has");

    public static int Pid(string option, string value) =>
        Digits.TryParse(value, int.MaxValue, out ulong pid) && pid > 0
            ? (int)pid
            : throw new UsageException(option, value, "a process id is a number from 1 up");

    public static string Comm(string option, string value) =>
        Encoding.UTF8.GetByteCount(value) is > 0 and <= MaxComm
            ? value
            : throw new UsageException(option, value, $"a process name as /proc/PID/comm has it, 1 to {MaxComm} bytes");

    public static string Device(string option, string value) =>
        Encoding.UTF8.GetByteCount(value) is > 0 and < Interop.NetIf.IFNAMSIZ && value.AsSpan().IndexOfAny('/', ' ', ':') < 0
            ? value
            : throw new UsageException(option, value, "the name of a network device, such as eth0");

    public static string Path(string option, string value) =>
        value.Length > 0 ? value : throw new UsageException(option, value, "a path");

    public static string Netns(string option, string value)
    {
        bool valid = value.StartsWith("pid:", StringComparison.Ordinal)
            ? Digits.TryParse(value.AsSpan(4), int.MaxValue, out ulong pid) && pid > 0
            : value.Length > 0 && value is not ("." or "..");
        return valid ? value : throw new UsageException(option, value, "a name below /run/netns, a path, or pid:N");
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

    public static IdleBy IdleBy(string option, string value) => value switch
    {
        "recv" => Cli.IdleBy.Recv,
        "send" => Cli.IdleBy.Send,
        "both" => Cli.IdleBy.Both,
        _ => throw new UsageException(option, value, "recv, send or both"),
    };

    public static Method Method(string option, string value) => value switch
    {
        "auto" => Cli.Method.Auto,
        "disconnect" => Cli.Method.Disconnect,
        "kill" => Cli.Method.Kill,
#if NO_SOCK_DESTROY
        "destroy" => throw new UsageException(option, value, "this build has no SOCK_DESTROY; auto, disconnect or kill"),
        _ => throw new UsageException(option, value, "auto, disconnect or kill"),
#else
        "destroy" => Cli.Method.Destroy,
        _ => throw new UsageException(option, value, "auto, destroy, disconnect or kill"),
#endif
    };
}
