using System.Text;
using TcpCloser.Interop;

namespace TcpCloser.Kill;

/// <summary>The inodes of all sockets that certain processes hold.</summary>
internal sealed class ProcessInodes
{
    private ProcessInodes(ProcDirectory proc, List<int> pids)
    {
        foreach (int pid in pids)
        {
            Processes++;
            int directory = ProcFile.OpenDirectory(proc.Descriptor, ProcPath.Of(pid, "fd"u8));
            if (directory < 0)
            {
                Unreadable += directory is -Errno.ENOENT or -Errno.ESRCH ? 0 : 1;
                continue;
            }

            foreach (int fd in ProcFile.Numbers(directory))
            {
                uint inode = ProcFile.SocketInode(directory, fd);
                if (inode != 0)
                {
                    Inodes.Add(inode);
                }
            }

            _ = Unistd.close(directory);
        }
    }

    public HashSet<uint> Inodes { get; } = [];

    /// <summary>How many processes were meant.</summary>
    public int Processes { get; private set; }

    /// <summary>How many of them could not be looked into for want of privilege.</summary>
    public int Unreadable { get; private set; }

    /// <summary>Those of the processes that have one of the ids and one of the names, where such are given.</summary>
    public static ProcessInodes OfNamed(ProcDirectory proc, int[] pids, IReadOnlyList<string> comms)
    {
        var meant = new List<int>();
        foreach (int pid in ProcFile.Numbers(proc.Descriptor))
        {
            if ((pids.Length == 0 || Array.IndexOf(pids, pid) >= 0) && (comms.Count == 0 || IsAny(comms, ProcFile.Comm(proc.Descriptor, pid))))
            {
                meant.Add(pid);
            }
        }

        return new ProcessInodes(proc, meant);
    }

    private static bool IsAny(IReadOnlyList<string> names, ReadOnlySpan<byte> comm)
    {
        foreach (string name in names)
        {
            if (comm.SequenceEqual(Encoding.UTF8.GetBytes(name)))
            {
                return true;
            }
        }

        return false;
    }
}
