using TcpCloser.Diag;
using TcpCloser.Interop;
using TcpCloser.Proc;

namespace TcpCloser.Kill;

/// <summary>Whose the candidates are, and what a method that ends processes would take along.</summary>
internal static class OwnerForecast
{
    /// <summary>Finds the processes that hold the connections of the lists.</summary>
    /// <param name="table">Where the processes are.</param>
    /// <param name="lists">The connections.</param>
    /// <exception cref="SystemCallException">No /proc.</exception>
    public static SocketOwners Find(IProcessTable table, params ReadOnlySpan<ConnectionList> lists) => Find(table, InodesOf(lists), null);

    /// <summary>The same, and of each process how many connections it holds besides.</summary>
    /// <exception cref="SystemCallException">No /proc, no sockets.</exception>
    public static SocketOwners FindAndCount(IProcessTable table, SocketDump dump, ConnectionList candidates)
    {
        var everything = new InodeCollector();
        var query = new DumpQuery(Selection.EveryConnection, RuleContext.Empty, marksAndCgroups: false);
        foreach ((NetworkNamespace network, _, _) in candidates.Parts)
        {
            int errno = dump.Run(network, query.Request, everything);
            if (errno != 0)
            {
                throw new SystemCallException(Operation.ListSockets, errno);
            }
        }

        return Find(table, InodesOf(candidates), everything.Inodes);
    }

    /// <summary>How many connections the processes that would be ended hold besides the candidates.</summary>
    public static int OthersLost(ICloseMethod method, ConnectionList candidates, SocketOwners owners)
    {
        var ended = new HashSet<SocketHolder>();
        for (int i = 0; i < candidates.Count; i++)
        {
            if (method.Obstacle(in candidates[i], owners) is null)
            {
                ended.UnionWith(owners.Of(candidates[i].Inode));
            }
        }

        int others = 0;
        foreach (SocketHolder holder in ended)
        {
            others += holder.OtherConnections ?? 0;
        }

        return others;
    }

    private static SocketOwners Find(IProcessTable table, List<uint> inodes, HashSet<uint>? counted) =>
        SocketOwners.All(table, inode => inodes.BinarySearch(inode) >= 0, inodes.Count, counted);

    /// <summary>Sorted, in a quarter of the memory of a set: there may be a million, and each is compared with what takes a system call.</summary>
    private static List<uint> InodesOf(params ReadOnlySpan<ConnectionList> lists)
    {
        int count = 0;
        foreach (ConnectionList list in lists)
        {
            count += list.Count;
        }

        var inodes = new List<uint>(count);
        foreach (ConnectionList list in lists)
        {
            for (int i = 0; i < list.Count; i++)
            {
                if (list[i].Inode != 0)
                {
                    inodes.Add(list[i].Inode);
                }
            }
        }

        inodes.Sort();
        return inodes;
    }

    private sealed class InodeCollector : IDumpSink
    {
        public HashSet<uint> Inodes { get; } = [];

        /// <summary>Nothing to forget: what an aborted dump brought is as true as the rest.</summary>
        public void Reset()
        {
        }

        public void Add(ref readonly InetDiagMsg message, in SocketAttributes attributes)
        {
            if (message.IdiagInode != 0)
            {
                Inodes.Add(message.IdiagInode);
            }
        }
    }
}
