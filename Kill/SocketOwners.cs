using TcpCloser.Interop;

namespace TcpCloser.Kill;

/// <summary>
/// Who holds a socket: one pass over /proc/PID/fd for all wanted inodes together. It never stops early: a socket may be
/// held by several processes, and lives as long as one of them does.
/// </summary>
internal sealed class SocketOwners
{
    /// <summary>/proc, open for the looks right before a signal.</summary>
    public int Proc { get; }

    /// <summary>The processes that hold wanted sockets.</summary>
    public List<SocketHolder> Holders { get; } = [];

    /// <summary>How many processes could not be looked into for want of privilege.</summary>
    public int Unreadable { get; private set; }

    private readonly InodeIndex _wanted;
    private readonly HashSet<uint>? _counted;
    private readonly ProcessGuard _guard;
    private readonly byte[] _entries = new byte[16 * 1024];

    /// <param name="proc">What <see cref="OpenProc"/> returned.</param>
    /// <param name="wanted">The sockets to find.</param>
    /// <param name="counted">Sockets of which each holder's number is to be told, the wanted ones not counted.</param>
    public SocketOwners(int proc, InodeIndex wanted, HashSet<uint>? counted = null)
    {
        Proc = proc;
        _wanted = wanted;
        _counted = counted;
        _guard = new ProcessGuard(proc);
        foreach (int pid in Processes())
        {
            Look(pid);
        }
    }

    /// <summary>Opens /proc.</summary>
    /// <exception cref="SystemCallException">It is not there, or shows the processes of another pid namespace, whose ids mean others here.</exception>
    public static unsafe int OpenProc()
    {
        int proc = ProcFile.OpenDirectory(Fcntl.AT_FDCWD, "/proc\0"u8);
        if (proc < 0)
        {
            throw new SystemCallException("opening /proc, where --use-proc finds the owners (mount -t proc proc /proc)", -proc);
        }

        Span<byte> self = stackalloc byte[16];
        Span<byte> pid = stackalloc byte[16];
        nint length;
        fixed (byte* path = "self\0"u8)
        fixed (byte* link = self)
        {
            length = Unistd.readlinkat(proc, path, link, (nuint)self.Length);
        }

        if (length < 0 || !self[..(int)length].SequenceEqual(pid[..ProcPath.Number(pid, Unistd.getpid())]))
        {
            _ = Unistd.close(proc);
            throw new SystemCallException(
                "using /proc: it is not a procfs of this pid namespace, so its process ids would mean other processes", Errno.ESRCH);
        }

        return proc;
    }

    private List<int> Processes()
    {
        var pids = new List<int>();
        foreach (int number in Numbers(Proc))
        {
            pids.Add(number);
        }

        return pids;
    }

    private void Look(int pid)
    {
        int directory = ProcFile.OpenDirectory(Proc, ProcPath.Of(pid, "fd"u8));
        if (directory < 0)
        {
            // Gone meanwhile is no news; anything else may hide an owner.
            Unreadable += directory is -Errno.ENOENT or -Errno.ESRCH ? 0 : 1;
            return;
        }

        SocketHolder? holder = null;
        var others = new HashSet<uint>();
        foreach (int fd in Numbers(directory))
        {
            uint inode = ProcFile.SocketInode(directory, fd);
            if (inode != 0 && _wanted.Contains(inode))
            {
                holder ??= new SocketHolder(pid) { Comm = Comm(pid), Protection = _guard.Protection(pid) };
                holder.Sockets.Add(new HeldSocket(fd, inode));
            }
            else if (inode != 0 && _counted is not null && _counted.Contains(inode))
            {
                others.Add(inode);
            }
        }

        _ = Unistd.close(directory);
        if (holder is not null)
        {
            holder.OtherConnections = others.Count;
            Holders.Add(holder);
        }
    }

    private byte[] Comm(int pid)
    {
        byte[] comm = ProcFile.Read(Proc, ProcPath.Of(pid, "comm"u8));
        return comm.Length > 0 ? comm[..^1] : comm;
    }

    /// <summary>The entries of a directory that are numbers.</summary>
    private IEnumerable<int> Numbers(int directory)
    {
        int length;
        while ((length = ProcFile.ReadEntries(directory, _entries)) > 0)
        {
            for (int at = 0; at < length;)
            {
                ReadOnlySpan<byte> entries = _entries.AsSpan(at, length - at);
                int number = ProcFile.TakeNumber(ref entries);
                at = length - entries.Length;
                if (number >= 0)
                {
                    yield return number;
                }
            }
        }
    }
}
