using TcpCloser.Diag;

namespace TcpCloser.Kill;

/// <summary>
/// Orders connections by age. The result is a list of keys, whose lower 32 bits are the index of the connection. Connections of the same
/// age stay in the kernel's order; those without a usable clock count as the least idle ones.
/// </summary>
internal static class IdleOrder
{
    /// <summary>Whether it is a subflow of an MPTCP connection, which ends as a whole: all of its subflows have its inode.</summary>
    public static bool IsSubflow(ref readonly Connection connection) => connection.IsMptcp && connection.Inode != 0;

    /// <summary>The longest idle connection first. An MPTCP connection is as idle as its least idle subflow.</summary>
    public static ulong[] LongestFirst(ConnectionList list)
    {
        Dictionary<uint, uint> ranks = RanksOfMptcp(list);
        var keys = new ulong[list.Count];
        for (int i = 0; i < keys.Length; i++)
        {
            ref Connection connection = ref list[i];
            uint rank = IsSubflow(in connection) ? ranks[connection.Inode] : Rank(in connection);
            keys[i] = Key(uint.MaxValue - rank, i);
        }

        Array.Sort(keys);
        return keys;
    }

    /// <summary>The key of one connection in such a list, by the age of this subflow alone.</summary>
    public static ulong LongestFirstKey(ref readonly Connection connection, int index) => Key(uint.MaxValue - Rank(in connection), index);

    /// <summary>The least idle connection first. The indexes of the second list follow those of the first.</summary>
    public static ulong[] ShortestFirst(ConnectionList first, ConnectionList second)
    {
        var keys = new ulong[first.Count + second.Count];
        for (int i = 0; i < keys.Length; i++)
        {
            ref Connection connection = ref i < first.Count ? ref first[i] : ref second[i - first.Count];
            keys[i] = Key(Rank(in connection), i);
        }

        Array.Sort(keys);
        return keys;
    }

    private static Dictionary<uint, uint> RanksOfMptcp(ConnectionList list)
    {
        var ranks = new Dictionary<uint, uint>();
        for (int i = 0; i < list.Count; i++)
        {
            ref Connection connection = ref list[i];
            if (IsSubflow(in connection))
            {
                ranks[connection.Inode] = Math.Min(Rank(in connection), ranks.GetValueOrDefault(connection.Inode, uint.MaxValue));
            }
        }

        return ranks;
    }

    /// <summary>The higher, the longer idle. The unknown age, which is the highest number, becomes 0.</summary>
    private static uint Rank(ref readonly Connection connection) => unchecked(connection.IdleMs + 1);

    private static ulong Key(uint rank, int index) => (ulong)rank << 32 | (uint)index;
}

/// <summary>
/// What was decided about MPTCP connections, so that their subflows share one decision. It knows nothing about other connections, which are
/// decided one by one.
/// </summary>
internal sealed class MptcpDecisions
{
    private readonly Dictionary<uint, bool> _byInode = [];

    public bool TryGet(ref readonly Connection connection, out bool decision)
    {
        decision = false;
        return IdleOrder.IsSubflow(in connection) && _byInode.TryGetValue(connection.Inode, out decision);
    }

    public void Set(ref readonly Connection connection, bool decision)
    {
        if (IdleOrder.IsSubflow(in connection))
        {
            _byInode[connection.Inode] = decision;
        }
    }
}
