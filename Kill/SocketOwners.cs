using TcpCloser.Interop;

namespace TcpCloser.Kill;

/// <summary>
/// Who holds a socket: one pass over /proc/PID/fd for all wanted inodes together. It never stops early: a socket may be
/// held by several processes, and lives as long as one of them does.
/// </summary>
internal sealed class SocketOwners
{
    private readonly int _proc;
    private readonly InodeIndex _wanted;
    private readonly HashSet<uint>? _counted;
    private readonly ProcessGuard _guard;

    /// <param name="proc">Where to look.</param>
    /// <param name="wanted">The sockets to find.</param>
    /// <param name="counted">Sockets of which each holder's number is to be told, the wanted ones not counted.</param>
    public SocketOwners(ProcDirectory proc, InodeIndex wanted, HashSet<uint>? counted = null)
    {
        _proc = proc.Descriptor;
        _wanted = wanted;
        _counted = counted;
        _guard = new ProcessGuard(_proc);
        foreach (int pid in ProcFile.Numbers(_proc))
        {
            Look(pid);
        }
    }

    /// <summary>The processes that hold wanted sockets.</summary>
    public List<SocketHolder> Holders { get; } = [];

    /// <summary>How many processes could not be looked into for want of privilege.</summary>
    public int Unreadable { get; private set; }

    public string WhyUnreadable => $"the descriptors of {Unreadable} processes could not be looked at: CAP_SYS_PTRACE is missing; run as root";

    private void Look(int pid)
    {
        int directory = ProcFile.OpenDirectory(_proc, ProcPath.Of(pid, "fd"u8));
        if (directory < 0)
        {
            // Gone meanwhile is no news; anything else may hide an owner.
            Unreadable += directory is -Errno.ENOENT or -Errno.ESRCH ? 0 : 1;
            return;
        }

        SocketHolder? holder = null;
        HashSet<uint>? others = null;
        foreach (int fd in ProcFile.Numbers(directory))
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
            Holders.Add(holder);
        }
    }
}
