using TcpCloser.Diag;
using TcpCloser.Interop;
using TcpCloser.Proc;

namespace TcpCloser.Kill;

/// <summary>The programs by which people log in over the network.</summary>
internal static class LoginDaemons
{
    private const uint Root = 0;

    public static bool IsOne(ReadOnlySpan<byte> comm) =>
        comm.StartsWith("sshd"u8) || comm.StartsWith("dropbear"u8) || comm.EndsWith("telnetd"u8);

    /// <summary>
    /// The inodes of candidates that login daemons hold. Where one of those cannot be looked into, it may hold any of root's sockets
    /// of which no holder is known: it takes connections as root.
    /// </summary>
    /// <exception cref="SystemCallException">The processes could not be listed.</exception>
    public static HashSet<uint> Sockets(IProcessTable table, ConnectionList candidates)
    {
        var ofDaemons = new HashSet<uint>();
        var ofOthers = new HashSet<uint>();
        bool hasUnreadable = false;
        using var walk = new DescriptorWalk(table, DescriptorWalk.AllProcesses(table));
        while (walk.NextProcess())
        {
            // One whose name cannot be read may be one.
            int errno = ProcFile.ReadComm(table, walk.Pid, out byte[] comm);
            bool isDaemon = errno is not (0 or Errno.ENOENT or Errno.ESRCH) || IsOne(comm);
            while (walk.NextSocket())
            {
                (isDaemon ? ofDaemons : ofOthers).Add(walk.Inode);
            }

            hasUnreadable |= isDaemon && walk.Errno != 0;
        }

        for (int i = 0; hasUnreadable && i < candidates.Count; i++)
        {
            if (candidates[i].Uid == Root && candidates[i].Inode != 0 && !ofOthers.Contains(candidates[i].Inode))
            {
                ofDaemons.Add(candidates[i].Inode);
            }
        }

        return ofDaemons;
    }
}
