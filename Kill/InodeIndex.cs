using TcpCloser.Diag;

namespace TcpCloser.Kill;

/// <summary>
/// Which candidates have an inode, of those that are still to be closed. More than one has where subflows of MPTCP share a socket.
/// Inode 0 is no socket's.
/// </summary>
internal sealed class InodeIndex
{
    private const int None = -1;

    private readonly Dictionary<uint, int> _first;
    private readonly int[] _next;
    private readonly HashSet<uint> _uids = [];

    public InodeIndex(ConnectionList candidates)
    {
        _first = new Dictionary<uint, int>(candidates.Count);
        _next = new int[candidates.Count];
        for (int i = candidates.Count - 1; i >= 0; i--)
        {
            uint inode = candidates[i].Inode;
            if (inode != 0 && candidates[i].Outcome == Outcome.Idle)
            {
                _next[i] = _first.TryGetValue(inode, out int first) ? first : None;
                _first[inode] = i;
                _uids.Add(candidates[i].Uid);
                Count++;
            }
        }
    }

    /// <summary>How many candidates there are with an inode.</summary>
    public int Count { get; }

    /// <summary>The users whom their sockets belong to.</summary>
    public IReadOnlySet<uint> Uids => _uids;

    public bool Contains(uint inode) => _first.ContainsKey(inode);

    /// <summary>The places of the connections with that inode.</summary>
    public IEnumerable<int> Connections(uint inode)
    {
        for (int i = _first.GetValueOrDefault(inode, None); i != None; i = _next[i])
        {
            yield return i;
        }
    }
}
