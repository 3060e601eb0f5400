using System.Runtime.InteropServices;
using TcpCloser.Interop;

namespace TcpCloser.Proc;

/// <summary>
/// Who holds a socket: one pass over /proc/PID/fd for all wanted inodes together. It never stops early: a socket may be held by
/// several processes, and lives as long as one of them does.
/// </summary>
internal sealed class SocketOwners
{
    private readonly Dictionary<uint, SocketHolder[]> _byInode = [];

    /// <param name="table">Where the processes are.</param>
    /// <param name="isWanted">Whether a socket of that inode is to be found.</param>
    /// <param name="counted">Sockets of which each holder's number is to be told, the wanted ones not counted; null: none.</param>
    /// <exception cref="SystemCallException">The processes could not be listed.</exception>
    public SocketOwners(IProcessTable table, Predicate<uint> isWanted, HashSet<uint>? counted = null)
    {
        var guard = new ProcessGuard(table);
        Unjudged = guard.Unreadable;
        using var walk = new DescriptorWalk(table, DescriptorWalk.AllProcesses(table));
        while (walk.NextProcess())
        {
            SocketHolder? holder = null;
            HashSet<uint>? others = null;
            while (walk.NextSocket())
            {
                if (isWanted(walk.Inode))
                {
                    holder ??= Holder(table, guard, walk.Pid);
                    holder.Sockets.Add(new HeldSocket(walk.Fd, walk.Inode));
                    Add(walk.Inode, holder);
                }
                else if (counted is not null && counted.Contains(walk.Inode))
                {
                    (others ??= []).Add(walk.Inode);
                }
            }

            if (holder is not null)
            {
                holder.OtherConnections = counted is null ? null : others?.Count ?? 0;
                holder.IsPartlyKnown = walk.Errno != 0;
                Holders.Add(holder);
            }

            if (walk.Errno != 0)
            {
                Unreadable.Add(walk.Pid, walk.FailedOperation, walk.Errno);
            }
        }
    }

    /// <summary>The processes that hold wanted sockets, in the order of /proc.</summary>
    public List<SocketHolder> Holders { get; } = [];

    /// <summary>The processes of which some descriptors could not be looked at: any of them may hold a wanted socket.</summary>
    public UnreadableProcesses Unreadable { get; } = new();

    /// <summary>The holders of which it could not be found out whether they may be signalled.</summary>
    public UnreadableProcesses Unjudged { get; }

    /// <summary>The processes that hold the socket of that inode, as far as they could be found.</summary>
    public IReadOnlyList<SocketHolder> Of(uint inode) => _byInode.TryGetValue(inode, out SocketHolder[]? holders) ? holders : [];

    /// <summary>Sockets with one holder, which most are, share one array of it: there may be a million of them.</summary>
    private void Add(uint inode, SocketHolder holder)
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

    private static SocketHolder Holder(IProcessTable table, ProcessGuard guard, int pid) => new(pid)
    {
        Comm = ProcFile.Comm(table, pid),
        Protection = guard.Protection(pid, out uint? effectiveUid),
        EffectiveUid = effectiveUid,
    };
}
