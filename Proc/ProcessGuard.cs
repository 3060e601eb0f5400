using TcpCloser.Interop;

namespace TcpCloser.Proc;

/// <summary>Which processes are never signalled: process 1 of a pid namespace, kernel threads, this one and its ancestors.</summary>
internal sealed class ProcessGuard(IProcessTable table)
{
    private const string FirstOfItsNamespace = "process 1 of its pid namespace";

    private readonly Ancestors _ancestors = new(table);

    /// <summary>The processes asked about that are protected because they could not be looked at.</summary>
    public UnreadableProcesses Unreadable { get; } = new();

    /// <summary>Why the process is never signalled, or null.</summary>
    /// <param name="pid">The process.</param>
    /// <param name="effectiveUid">Its effective user id; null: not known.</param>
    public string? Protection(int pid, out uint? effectiveUid)
    {
        int statusErrno = table.ReadFile(pid, "status"u8, out byte[] content);
        ProcessStatus status = ProcessStatus.Parse(content);
        effectiveUid = statusErrno == 0 ? status.EffectiveUid : null;
        if (pid == table.Self)
        {
            return "tcp-closer itself";
        }

        if (_ancestors.Contains(pid))
        {
            return "an ancestor of tcp-closer";
        }

        if (pid == 1)
        {
            return FirstOfItsNamespace;
        }

        // What cannot be looked at (EMFILE, ENOMEM) may be any of these. What is gone or hidden from us is not ours to signal.
        int errno = _ancestors.UnknownErrno is Errno.ENOENT or Errno.ESRCH ? 0 : _ancestors.UnknownErrno;
        errno = errno == 0 ? statusErrno : errno;
        errno = errno == 0 ? table.ReadFile(pid, "stat"u8, out content) : errno;
        if (errno is not (0 or Errno.ENOENT or Errno.ESRCH))
        {
            Unreadable.Add(pid, Operation.ReadProcess, errno);
        }

        bool readable = errno == 0 && ProcessStat.TryParse(content, out ProcessStat stat) && !stat.IsKernelThread;
        return statusErrno is Errno.ENOENT or Errno.ESRCH ? null
            : !readable ? "a kernel thread, or a process that cannot be looked at now"
            : status.IsFirstOfItsNamespace ? FirstOfItsNamespace
            : null;
    }
}
