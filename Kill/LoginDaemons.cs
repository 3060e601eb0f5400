using TcpCloser.Diag;
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
    /// <exception cref="Interop.SystemCallException">The processes could not be listed.</exception>
    public static HashSet<uint> Sockets(IProcessTable table, ConnectionList candidates)
    {
        var ofDaemons = new HashSet<uint>();
        var ofOthers = new HashSet<uint>();
        bool hasUnreadable = false;
        using var walk = new DescriptorWalk(table, DescriptorWalk.AllProcesses(table));
        while (walk.NextProcess())
        {
            bool isDaemon = IsOne(ProcFile.Comm(table, walk.Pid));
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
