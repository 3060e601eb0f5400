using TcpCloser.Interop;
using TcpCloser.Rules;

namespace TcpCloser.Proc;

/// <summary>
/// Decides which processes must never be signalled: process 1 of a pid namespace, kernel threads, this process and its ancestors.
/// </summary>
internal sealed class ProcessGuard(IProcessTable table)
{
    private const string InitOfItsNamespace = "process 1 of its pid namespace";

    private readonly Ancestors _ancestors = new(table);

    /// <summary>Processes that are protected because they could not be inspected.</summary>
    public UnreadableProcesses Unreadable { get; } = new();

    /// <summary>Why the process must not be signalled; null: it may be.</summary>
    /// <param name="effectiveUid">Its effective user id; null: unknown.</param>
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
            return InitOfItsNamespace;
        }

        // A process that cannot be inspected (EMFILE, ENOMEM) may be any of these. One that is gone or hidden will not be signalled anyway.
        int errno = _ancestors.UnknownErrno is Errno.ENOENT or Errno.ESRCH ? 0 : _ancestors.UnknownErrno;
        errno = errno == 0 ? statusErrno : errno;
        errno = errno == 0 ? table.ReadFile(pid, "stat"u8, out content) : errno;
        if (errno is not (0 or Errno.ENOENT or Errno.ESRCH))
        {
            Unreadable.Add(pid, new Failure(Operation.ReadProcess, errno));
        }

        bool readable = errno == 0 && ProcessStat.TryParse(content, out ProcessStat stat) && !stat.IsKernelThread;
        return statusErrno is Errno.ENOENT or Errno.ESRCH ? null
            : !readable ? "a kernel thread or a process that cannot be inspected now"
            : status.IsInitOfItsNamespace ? InitOfItsNamespace
            : null;
    }
}

/// <summary>This process and its ancestors.</summary>
internal sealed class Ancestors
{
    private readonly HashSet<int> _pids = [];

    /// <summary>Collects this process and its ancestors.</summary>
    public Ancestors(IProcessTable table)
    {
        UnknownErrno = Add(table, table.Self);
    }

    /// <summary>This process and its known ancestors.</summary>
    public IReadOnlyCollection<int> Pids => _pids;

    /// <summary>
    /// The error because of which ancestors are missing: one of them could not be inspected (ENOENT: it is hidden); 0: none are missing.
    /// </summary>
    public int UnknownErrno { get; }

    public bool Contains(int pid) => _pids.Contains(pid);

    /// <summary>Adds a process and its ancestors. Returns 0 or the errno of the first one that could not be inspected.</summary>
    public int Add(IProcessTable table, int pid)
    {
        while (pid > 0 && _pids.Add(pid))
        {
            int errno = table.ReadFile(pid, "stat"u8, out byte[] content);
            if (errno != 0 || !ProcessStat.TryParse(content, out ProcessStat stat))
            {
                return errno != 0 ? errno : Errno.EBADMSG;
            }

            pid = stat.Parent;
        }

        return 0;
    }
}
