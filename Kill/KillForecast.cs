using TcpCloser.Diag;
using TcpCloser.Interop;
using TcpCloser.Proc;

namespace TcpCloser.Kill;

/// <summary>Which processes a kill would signal for each candidate, and what they would lose besides.</summary>
internal sealed class KillForecast
{
    private readonly List<SocketHolder>[] _holders;

    /// <exception cref="SystemCallException">No /proc, no sockets.</exception>
    public KillForecast(SocketDump dump, ConnectionList candidates, IProcessTable table)
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

        var index = new InodeIndex(candidates);
        var owners = new SocketOwners(table, index.Contains, everything.Inodes);
        Unreadable = owners.Unreadable;
        _holders = new List<SocketHolder>[candidates.Count];
        foreach (SocketHolder holder in owners.Holders)
        {
            Add(holder, index);
        }

        CountOthers(candidates, owners.Holders);
    }

    /// <summary>The processes that could not be looked into.</summary>
    public UnreadableProcesses Unreadable { get; }

    /// <summary>How many connections the processes that would be signalled would lose besides the candidates.</summary>
    public int OtherConnections { get; private set; }

    /// <summary>The processes that hold the candidate.</summary>
    public IReadOnlyList<SocketHolder> Holders(int candidate) => _holders[candidate] ?? [];

    private void Add(SocketHolder holder, InodeIndex index)
    {
        foreach (HeldSocket socket in holder.Sockets)
        {
            foreach (int i in index.Connections(socket.Inode))
            {
                List<SocketHolder> holders = _holders[i] ??= [];
                if (!holders.Contains(holder))
                {
                    holders.Add(holder);
                }
            }
        }
    }

    private void CountOthers(ConnectionList candidates, List<SocketHolder> all)
    {
        var signalled = new HashSet<SocketHolder>();
        for (int i = 0; i < candidates.Count; i++)
        {
            if (OwnerRule.Reason(in candidates[i], Holders(i)) is null)
            {
                signalled.UnionWith(Holders(i));
            }
        }

        foreach (SocketHolder holder in all)
        {
            OtherConnections += signalled.Contains(holder) ? holder.OtherConnections : 0;
        }
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
