using TcpCloser.Interop;
using TcpCloser.Rules;

namespace TcpCloser.Proc;

/// <summary>Processes that could not be inspected, counted, with the failure of the first one.</summary>
internal sealed class UnreadableProcesses
{
    private Failure _first;

    public int Count { get; private set; }

    public int FirstPid { get; private set; }

    /// <summary>
    /// What failed for the first of them, and for how many: <c>of process 1</c>, <c>of process 1 and 3 others</c>; none without any.
    /// </summary>
    public Failure Failure => Count == 0 ? default
        : _first with { Subject = Count > 1 ? $"of process {FirstPid} and {Count - 1} other{(Count == 2 ? "" : "s")}" : $"of process {FirstPid}" };

    public void Add(int pid, Failure failure)
    {
        if (Count++ == 0)
        {
            (FirstPid, _first) = (pid, failure);
        }
    }
}

/// <summary>
/// Detects processes that /proc hides (hidepid=invisible and ptraceable, systemd's ProtectProc=): they have no directory there, although
/// kill(2) finds them. Process 1 exists as long as its pid namespace does, so if it is hidden, others are too.
/// </summary>
internal static class HiddenProcess
{
    private const int Init = 1;

    /// <summary>Whether /proc hides processes.</summary>
    public static bool Any(IProcessTable table) => Is(table, Init);

    /// <summary>Whether a process exists and is hidden.</summary>
    public static bool Is(IProcessTable table, int pid)
    {
        const int NoHandle = -1;
        const int NoSignal = 0;
        return table.ReadFile(pid, "stat"u8, out _) == Errno.ENOENT && table.SendSignal(NoHandle, pid, NoSignal) != Errno.ESRCH;
    }
}
