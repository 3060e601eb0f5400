using TcpCloser.Cli;
using TcpCloser.Diag;
using TcpCloser.Interop;

namespace TcpCloser.Kill;

/// <summary>For a dry run: which processes a kill would signal for each connection, and what they would lose besides.</summary>
internal sealed class KillForecast
{
    private readonly List<SocketHolder>[] _holders;

    /// <exception cref="SystemCallException">No /proc, no sockets.</exception>
    public KillForecast(Func<INetlinkSocket> open, ConnectionList doomed)
    {
        var everything = new InodeCollector();
        new SocketDump(open).Run(new Selection(new Options
        {
            Families = Families.IPv4 | Families.IPv6,
            States = StateList.Parse("--state", "all"),
        }), everything);
        int proc = SocketOwners.OpenProc();
        var index = new InodeIndex(doomed);
        var owners = new SocketOwners(proc, index, everything.Inodes);
        _ = Unistd.close(proc);
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

        public void Reset() => Inodes.Clear();

        public void Add(ref readonly InetDiagMsg message, ReadOnlySpan<byte> attributes)
        {
            if (message.IdiagInode != 0)
            {
                Inodes.Add(message.IdiagInode);
            }
        }
    }
}
