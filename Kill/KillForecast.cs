using TcpCloser.Diag;
using TcpCloser.Interop;

namespace TcpCloser.Kill;

/// <summary>For a dry run: which processes a kill would signal for each connection, and what they would lose besides.</summary>
internal sealed class KillForecast
{
    private readonly List<SocketHolder>[] _holders;

    /// <exception cref="SystemCallException">No /proc, no sockets.</exception>
    public KillForecast(SocketDump dump, ConnectionList doomed)
    {
        var everything = new InodeCollector();
        foreach ((NetworkNamespace network, _, _) in doomed.Parts)
        {
            dump.Run(network, new Selection(MptcpTable.Everything), half: null, everything);
        }

        using var proc = new ProcDirectory();
        var index = new InodeIndex(doomed);
        var owners = new SocketOwners(proc.Descriptor, index, everything.Inodes);
        Unreadable = owners.Unreadable;
        _holders = new List<SocketHolder>[doomed.Count];
        foreach (SocketHolder holder in owners.Holders)
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
    }

    /// <summary>How many processes could not be looked into for want of privilege.</summary>
    public int Unreadable { get; }

    /// <summary>The processes that hold the connection.</summary>
    public IReadOnlyList<SocketHolder> Holders(int connection) => _holders[connection] ?? [];

    private sealed class InodeCollector : IDumpSink
    {
        public HashSet<uint> Inodes { get; } = [];

        /// <summary>Nothing to forget: what a broken dump brought is as true as the rest.</summary>
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
