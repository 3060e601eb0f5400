using TcpCloser.Interop;

namespace TcpCloser.Kill;

/// <summary>
/// Who holds a socket: one pass over /proc/PID/fd for all wanted inodes together, on two threads where there are many
/// processes. It never stops early: a socket may be held by several processes, and lives as long as one of them does.
/// </summary>
internal sealed class SocketOwners
{
    /// <summary>Below this many processes a thread costs more than it saves.</summary>
    private const int WorthThread = 64;

    private readonly int _proc;
    private readonly InodeIndex _wanted;
    private readonly HashSet<uint>? _counted;
    private readonly ProcessGuard _guard;
    private readonly List<int> _pids;
    private readonly SocketHolder?[] _found;
    private int _taken = -1;
    private int _unreadable;
    private int _errno;

    /// <param name="proc">A descriptor of /proc.</param>
    /// <param name="wanted">The sockets to find.</param>
    /// <param name="counted">Sockets of which each holder's number is to be told, the wanted ones not counted.</param>
    public SocketOwners(int proc, InodeIndex wanted, HashSet<uint>? counted = null)
    {
        _proc = proc;
        _wanted = wanted;
        _counted = counted;
        _guard = new ProcessGuard(proc);
        _pids = ProcFile.Numbers(proc);
        _found = new SocketHolder?[_pids.Count];
        LookIntoAll();
        foreach (SocketHolder? holder in _found)
        {
            if (holder is not null)
            {
                Holders.Add(holder);
            }
        }
    }

    /// <summary>The processes that hold wanted sockets, in the order of /proc.</summary>
    public List<SocketHolder> Holders { get; } = [];

    /// <summary>How many processes could not be looked into for want of privilege.</summary>
    public int Unreadable => _unreadable;

    public string WhyUnreadable => $"the descriptors of {Unreadable} processes could not be looked at: " +
        (_errno is Errno.EACCES or Errno.EPERM ? "CAP_SYS_PTRACE is missing; run as root" : Errno.Describe(_errno));

    private void LookIntoAll()
    {
        WorkerThread? second = _pids.Count < WorthThread || Environment.ProcessorCount == 1 ? null : WorkerThread.TryStart(Work);
        try
        {
            Work();
        }
        finally
        {
            second?.Join();
        }
    }

    /// <summary>Takes one process after the other: one may have more descriptors than all the rest.</summary>
    private void Work()
    {
        var fds = new List<int>();
        for (int i = Interlocked.Increment(ref _taken); i < _pids.Count; i = Interlocked.Increment(ref _taken))
        {
            _found[i] = Look(_pids[i], fds);
        }
    }

    /// <param name="pid">The process.</param>
    /// <param name="fds">A list to use again for its descriptors.</param>
    private SocketHolder? Look(int pid, List<int> fds)
    {
        int directory = ProcFile.OpenDirectory(_proc, ProcPath.Of(pid, "fd"u8));
        if (directory < 0)
        {
            // Gone meanwhile is no news; anything else may hide an owner.
            if (directory is not (-Errno.ENOENT or -Errno.ESRCH))
            {
                Interlocked.Increment(ref _unreadable);
                Interlocked.CompareExchange(ref _errno, -directory, 0);
            }

            return null;
        }

        SocketHolder? holder = null;
        HashSet<uint>? others = null;
        ProcFile.ReadNumbers(directory, fds);
        foreach (int fd in fds)
        {
            uint inode = ProcFile.SocketInode(directory, fd);
            if (inode != 0 && _wanted.Contains(inode))
            {
                holder ??= new SocketHolder(pid) { Comm = ProcFile.Comm(_proc, pid), Protection = _guard.Protection(pid) };
                holder.Sockets.Add(new HeldSocket(fd, inode));
            }
            else if (inode != 0 && _counted is not null && _counted.Contains(inode))
            {
                (others ??= []).Add(inode);
            }
        }

        _ = Unistd.close(directory);
        if (holder is not null)
        {
            holder.OtherConnections = others?.Count ?? 0;
        }

        return holder;
    }
}
