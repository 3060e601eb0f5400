using System.Text;
using TcpCloser.Interop;

namespace TcpCloser.Cli;

/// <summary>Comma-separated users, process ids and process names.</summary>
internal static class OwnerList
{
    /// <summary>TASK_COMM_LEN without the NUL (linux/sched.h): no process name is longer, in bytes.</summary>
    private const int MaxComm = 15;

    /// <exception cref="UsageException">One of them is no user.</exception>
    public static void ParseUids(string option, string list, List<uint> uids)
    {
        foreach (string item in list.Split(','))
        {
            uids.Add(Digits.TryParse(item, uint.MaxValue - 1, out ulong uid) ? (uint)uid : UidOf(option, item, list));
        }
    }

    /// <exception cref="UsageException">One of them is no process id.</exception>
    public static void ParsePids(string option, string list, List<int> pids)
    {
        foreach (string item in list.Split(','))
        {
            pids.Add(Digits.TryParse(item, int.MaxValue, out ulong pid) && pid > 0
                ? (int)pid
                : throw UsageException.OfItem(option, item, list, "a process id is a number from 1 up"));
        }
    }

    /// <exception cref="UsageException">One of them is longer than a process name can be, or empty.</exception>
    public static void ParseComms(string option, string list, List<string> comms)
    {
        foreach (string item in list.Split(','))
        {
            comms.Add(Encoding.UTF8.GetByteCount(item) is > 0 and <= MaxComm
                ? item
                : throw UsageException.OfItem(option, item, list, $"a process name as /proc/PID/comm has it, 1 to {MaxComm} bytes"));
        }
    }

    private static uint UidOf(string option, string user, string list)
    {
        int errno = PasswdFile.Find(user, out uint? uid);
        return uid ?? throw UsageException.OfItem(option, user, list, "a user is a number, or a name that /etc/passwd has" +
            (errno == 0 ? "" : $"; reading that: {Errno.Describe(errno)}"));
    }
}
