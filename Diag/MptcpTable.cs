using TcpCloser.Cli;
using TcpCloser.Interop;

namespace TcpCloser.Diag;

/// <summary>
/// The MPTCP connections behind subflows that are to be closed. A subflow has its connection's inode but a cookie of its
/// own; the owner's descriptor has the connection's cookie, which only a dump of MPTCP sockets tells.
/// </summary>
internal sealed class MptcpTable
{
    private readonly Dictionary<uint, List<ulong>> _cookies = [];

    /// <summary>Whether a descriptor with that cookie is the MPTCP connection that has the inode.</summary>
    public bool IsConnection(uint inode, ulong cookie) => _cookies.TryGetValue(inode, out List<ulong>? cookies) && cookies.Contains(cookie);

    /// <summary>
    /// Looks up the connections of all subflows among <paramref name="doomed"/>. Where another subflow of one is not among
    /// them, because it does not match or is not idle, closing the connection would close that too: then all are left alone.
    /// </summary>
    /// <exception cref="SystemCallException">The kernel could not be asked.</exception>
    public static MptcpTable Resolve(SocketDump dump, ConnectionList doomed)
    {
        var table = new MptcpTable();
        foreach ((NetworkNamespace network, int start, int end) in doomed.Parts)
        {
            var subflows = new Subflows();
            for (int i = start; i < end; i++)
            {
                if (doomed[i].IsMptcp && doomed[i].Inode != 0)
                {
                    subflows.Doomed.Add(doomed[i].Cookie);
                    subflows.Inodes.Add(doomed[i].Inode);
                }
            }

            if (subflows.Doomed.Count == 0)
            {
                continue;
            }

            dump.Run(network, new Selection(Everything), half: null, subflows);
            var connections = new Cookies(table._cookies);
            _ = dump.Run(network, DumpRequest.BuildMptcp(Socket.AF_INET), connections);
            _ = dump.Run(network, DumpRequest.BuildMptcp(Socket.AF_INET6), connections);
            for (int i = start; i < end; i++)
            {
                if (doomed[i].IsMptcp && doomed[i].Outcome == Outcome.Idle && subflows.NotDoomed.Contains(doomed[i].Inode))
                {
                    doomed[i].Outcome = Outcome.SubflowBusy;
                }
            }
        }

        return table;
    }

    /// <summary>All TCP sockets but listeners.</summary>
    public static Options Everything { get; } = new()
    {
        Families = Families.IPv4 | Families.IPv6,
        States = StateList.Parse("--state", "all"),
    };

    /// <summary>Finds the inodes of which a subflow is not to be closed.</summary>
    private sealed class Subflows : IDumpSink
    {
        public HashSet<ulong> Doomed { get; } = [];

        public HashSet<uint> Inodes { get; } = [];

        public HashSet<uint> NotDoomed { get; } = [];

        public void Reset() => NotDoomed.Clear();

        public void Add(ref readonly InetDiagMsg message, in SocketAttributes attributes)
        {
            if (attributes.IsMptcp && Inodes.Contains(message.IdiagInode) && !Doomed.Contains(Connection.From(in message).Cookie))
            {
                NotDoomed.Add(message.IdiagInode);
            }
        }
    }

    private sealed class Cookies(Dictionary<uint, List<ulong>> cookies) : IDumpSink
    {
        /// <summary>Nothing to forget: what a broken dump brought is as true as the rest.</summary>
        public void Reset()
        {
        }

        public void Add(ref readonly InetDiagMsg message, in SocketAttributes attributes)
        {
            if (!cookies.TryGetValue(message.IdiagInode, out List<ulong>? known))
            {
                cookies[message.IdiagInode] = known = [];
            }

            known.Add(Connection.From(in message).Cookie);
        }
    }
}
