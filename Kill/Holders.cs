using TcpCloser.Diag;
using TcpCloser.Interop;
using TcpCloser.Proc;
using TcpCloser.Rules;

namespace TcpCloser.Kill;

/// <summary>How much is known about the holders of the candidates. Each level includes those before it.</summary>
internal enum Known
{
    /// <summary>Nothing: there was no search, or it failed.</summary>
    None,

    /// <summary>One holder of each socket that the search has found so far.</summary>
    First,

    /// <summary>Every holder.</summary>
    All,

    /// <summary>Every holder, and how many other connections (not candidates) it holds.</summary>
    AllCounted,
}

/// <summary>The holders of a round's candidates, shared by all steps.</summary>
internal sealed class Holders(Machine machine)
{
    private SocketHolders? _found;

    public Known Known { get; private set; }

    /// <summary>Whether some processes could not be inspected; they may hold any socket that has no known holder.</summary>
    public bool HasUnreadable => _found is { Unreadable.Count: > 0 } or { AreSomeHidden: true };

    /// <summary>The known holders of the socket with this inode.</summary>
    public SocketHolder[] Of(uint inode) => _found?.Of(inode) ?? [];

    /// <summary>Finds the holders, unless at least this much is known already.</summary>
    /// <param name="lists">The connections; those of the first list are the candidates.</param>
    /// <exception cref="SystemCallException">
    /// The processes could not be listed, or the sockets, for <see cref="Known.AllCounted"/>.
    /// </exception>
    public SocketHolders Ensure(IProcessTable table, Known level, params ReadOnlySpan<ConnectionList> lists)
    {
        if (_found is null || Known < level)
        {
            List<uint> inodes = SocketInodes.Of(lists);
            HashSet<uint>? counted = level == Known.AllCounted ? SocketInodes.Others(machine.Dump, lists[0]) : null;
            Take(SocketHolders.All(table, inode => inodes.BinarySearch(inode) >= 0, inodes.Count, counted), level);
        }

        return _found!;
    }

    /// <summary>Stores the result of a search, which may still be running. A complete result is never replaced by a partial one.</summary>
    public void Take(SocketHolders found, Known level)
    {
        if (found != _found && (level >= Known.All || Known < Known.All))
        {
            (_found, Known) = (found, level);
        }
    }

    public void Clear() => (_found, Known) = (null, Known.None);

    /// <summary>Counts the connections, other than candidates, of the processes that would be signalled.</summary>
    /// <param name="overflowUid">
    /// The uid that the kernel shows for every user that this user namespace does not map; null: all users are mapped.
    /// </param>
    public int OthersLost(ConnectionList candidates, uint? overflowUid)
    {
        var ended = new HashSet<SocketHolder>();
        var rule = new HolderRule(_found!, overflowUid);
        for (int i = 0; i < candidates.Count; i++)
        {
            if (rule.Reason(in candidates[i]) is null)
            {
                ended.UnionWith(Of(candidates[i].Inode));
            }
        }

        int others = 0;
        foreach (SocketHolder holder in ended)
        {
            others += holder.OtherConnections ?? 0;
        }

        return others;
    }
}

/// <summary>Collects the inodes of sockets; /proc identifies sockets by inode.</summary>
internal static class SocketInodes
{
    /// <summary>
    /// Returns the inodes of the connections as a sorted list, which takes a quarter of the memory of a set: there may be a million. The
    /// slower lookup does not matter, because a system call accompanies each one.
    /// </summary>
    public static List<uint> Of(ReadOnlySpan<ConnectionList> lists)
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

    /// <summary>Returns the inodes of all other connections in the network namespaces of the candidates.</summary>
    /// <exception cref="SystemCallException">They could not be listed.</exception>
    public static HashSet<uint> Others(SocketDump dump, ConnectionList candidates)
    {
        var others = new HashSet<uint>();
        foreach ((NetworkNamespace network, _, _) in candidates.Parts)
        {
            others.UnionWith(In(dump, network, Selection.EveryConnection, uids: []));

            // An MPTCP connection may have no subflow at the moment.
            others.UnionWith(MptcpIn(dump, network, Socket.AF_INET));
            others.UnionWith(MptcpIn(dump, network, Socket.AF_INET6));
        }

        for (int i = 0; i < candidates.Count; i++)
        {
            others.Remove(candidates[i].Inode);
        }

        return others;
    }

    /// <summary>Returns the inodes of the selected sockets in a network namespace.</summary>
    /// <param name="uids">The users whose sockets are selected; empty: all users.</param>
    /// <exception cref="SystemCallException">They could not be listed.</exception>
    public static HashSet<uint> In(SocketDump dump, NetworkNamespace network, Selection selection, IReadOnlyList<uint> uids)
    {
        var inodes = new HashSet<uint>();
        var query = new DumpQuery(selection, RuleContext.Empty, marksAndCgroups: false);
        dump.List(network, query.Request, (ref readonly InetDiagMsg message, in SocketAttributes _) =>
        {
            if (message.IdiagInode != 0 && (uids.Count == 0 || Contains(uids, message.IdiagUid)))
            {
                inodes.Add(message.IdiagInode);
            }
        });
        return inodes;
    }

    /// <summary>Returns the inodes of MPTCP connections. A kernel without MPTCP answers ENOENT and has none.</summary>
    /// <exception cref="SystemCallException">They could not be listed.</exception>
    private static HashSet<uint> MptcpIn(SocketDump dump, NetworkNamespace network, int family)
    {
        var inodes = new HashSet<uint>();
        int errno = dump.Run(network, DumpRequest.BuildMptcp((byte)family), (ref readonly InetDiagMsg message, in SocketAttributes _) =>
        {
            if (message.IdiagInode != 0 && message.IdiagState != TcpState.Listen)
            {
                inodes.Add(message.IdiagInode);
            }
        });
        return errno is 0 or Errno.ENOENT ? inodes : throw new SystemCallException(new Failure(Operation.ListSockets, errno));
    }

    private static bool Contains(IReadOnlyList<uint> uids, uint uid)
    {
        foreach (uint wanted in uids)
        {
            if (wanted == uid)
            {
                return true;
            }
        }

        return false;
    }
}
