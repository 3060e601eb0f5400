using TcpCloser.Interop;

namespace TcpCloser.Proc;

/// <summary>This process and those that it comes from.</summary>
internal sealed class Ancestors
{
    private readonly HashSet<int> _pids = [];

    /// <summary>Goes up from this process.</summary>
    public Ancestors(IProcessTable table)
    {
        UnknownErrno = Add(table, table.Self);
    }

    /// <summary>This process and all of its ancestors that are known.</summary>
    public IReadOnlyCollection<int> Pids => _pids;

    /// <summary>Why there may be more: one of them could not be looked at (ENOENT: it is hidden); 0: there are no more.</summary>
    public int UnknownErrno { get; }

    public bool Contains(int pid) => _pids.Contains(pid);

    /// <summary>Adds a process and its ancestors. Returns 0, or the errno of the one that could not be looked at.</summary>
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
