using System.Text;
using TcpCloser.Interop;
using TcpCloser.Rules;

namespace TcpCloser.Proc;

/// <summary>The processes that <c>--pid</c> and <c>--comm</c> select, and the inodes of all sockets that they hold.</summary>
internal sealed class NamedProcesses
{
    /// <param name="pids">The ids to select; empty: any.</param>
    /// <param name="comms">The names to select; empty: any.</param>
    /// <exception cref="SystemCallException">The processes could not be listed.</exception>
    public NamedProcesses(IProcessTable table, IReadOnlyList<int> pids, IReadOnlyList<string> comms)
    {
        foreach (int pid in DescriptorWalk.AllProcesses(table))
        {
            if ((pids.Count == 0 || Contains(pids, pid)) && (comms.Count == 0 || HasName(table, pid, comms)))
            {
                Pids.Add(pid);
            }
        }

        using var walk = new DescriptorWalk(table, Pids);
        while (walk.NextProcess())
        {
            while (walk.NextSocket())
            {
                Inodes.Add(walk.Inode);
            }

            if (!walk.Failure.IsNone)
            {
                Unreadable.Add(walk.Pid, walk.Failure);
            }
        }
    }

    public HashSet<uint> Inodes { get; } = [];

    /// <summary>The processes with one of the ids and one of the names.</summary>
    public List<int> Pids { get; } = [];

    /// <summary>Processes whose name or some of whose sockets could not be read.</summary>
    public UnreadableProcesses Unreadable { get; } = new();

    private static bool Contains(IReadOnlyList<int> pids, int pid)
    {
        foreach (int wanted in pids)
        {
            if (wanted == pid)
            {
                return true;
            }
        }

        return false;
    }

    private bool HasName(IProcessTable table, int pid, IReadOnlyList<string> names)
    {
        int errno = table.ReadFile(pid, "comm"u8, out byte[] comm);
        if (errno is not (0 or Errno.ENOENT or Errno.ESRCH))
        {
            Unreadable.Add(pid, new Failure(Operation.ReadProcess, errno));
        }

        foreach (string name in names)
        {
            if (comm.AsSpan().TrimEnd((byte)'\n').SequenceEqual(Encoding.UTF8.GetBytes(name)))
            {
                return true;
            }
        }

        return false;
    }
}
