using System.Runtime.InteropServices;
using TcpCloser.Interop;

namespace TcpCloser.Proc;

/// <summary>Who holds which sockets, as far as a <see cref="HolderSearch"/> went.</summary>
/// <param name="unjudged">The holders of which it could not be found out whether they may be signalled.</param>
/// <param name="wanted">How many sockets there are to find at most: a table that grows to a million is half again as large for a while.</param>
internal sealed class SocketOwners(UnreadableProcesses unjudged, int wanted)
{
    private readonly Dictionary<uint, SocketHolder[]> _byInode = new(wanted);

    /// <summary>Every holder there is, of all wanted sockets.</summary>
    /// <param name="table">Where the processes are.</param>
    /// <param name="isWanted">Whether a socket of that inode is to be found.</param>
    /// <param name="wanted">How many those are at most.</param>
    /// <param name="counted">Sockets of which each holder's number is to be told, the wanted ones not counted; null: none.</param>
    /// <exception cref="SystemCallException">The processes could not be listed.</exception>
    public static SocketOwners All(IProcessTable table, Predicate<uint> isWanted, int wanted, HashSet<uint>? counted = null)
    {
        using var search = new HolderSearch(table, DescriptorWalk.AllProcesses(table), isWanted, wanted, counted);
        while (search.Next())
        {
            // It never stops early: a socket may be held by several processes, and lives as long as one of them does.
        }

        search.Owners.IsWhole = true;
        return search.Owners;
    }

    /// <summary>Whether every process was looked into: then there are no other holders than these and those of <see cref="Unreadable"/>.</summary>
    public bool IsWhole { get; private set; }

    /// <summary>The processes that hold wanted sockets, in the order in which they were found.</summary>
    public List<SocketHolder> Holders { get; } = [];

    /// <summary>The processes of which some descriptors could not be looked at: any of them may hold a wanted socket.</summary>
    public UnreadableProcesses Unreadable { get; } = new();

    /// <summary>The holders of which it could not be found out whether they may be signalled.</summary>
    public UnreadableProcesses Unjudged { get; } = unjudged;

    /// <summary>The processes that hold the socket of that inode, as far as they could be found.</summary>
    public SocketHolder[] Of(uint inode) => _byInode.TryGetValue(inode, out SocketHolder[]? holders) ? holders : [];

    /// <summary>Sockets with one holder, which most are, share one array of it: there may be a million of them.</summary>
    public void Add(uint inode, SocketHolder holder)
    {
        ref SocketHolder[]? holders = ref CollectionsMarshal.GetValueRefOrAddDefault(_byInode, inode, out _);
        if (holders is null)
        {
            holders = holder.Alone;
        }
        else if (holders[^1] != holder)
        {
            holders = [.. holders, holder];
        }
    }
}
