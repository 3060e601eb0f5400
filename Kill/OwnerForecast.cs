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
    public static SocketOwners Find(IProcessTable table, params ReadOnlySpan<ConnectionList> lists) =>
        SocketOwners.All(table, InodesOf(lists).Contains);

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

        return SocketOwners.All(table, InodesOf(candidates).Contains, everything.Inodes);
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

    private static HashSet<uint> InodesOf(params ReadOnlySpan<ConnectionList> lists)
    {
        var inodes = new HashSet<uint>();
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
