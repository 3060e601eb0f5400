using TcpCloser.Diag;

namespace TcpCloser.Kill;

/// <summary>
/// Maps each inode to the pending candidates that have it: several if MPTCP subflows share a socket. Inode 0 means that there is no socket;
/// it is not in the index.
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
            if (inode != 0 && candidates[i].IsPending)
            {
                _next[i] = _first.TryGetValue(inode, out int first) ? first : None;
                _first[inode] = i;
                _uids.Add(candidates[i].Uid);
                Count++;
            }
        }
    }

    /// <summary>The number of pending candidates that have an inode.</summary>
    public int Count { get; }

    /// <summary>The users who own their sockets.</summary>
    public IReadOnlySet<uint> Uids => _uids;

    public bool Contains(uint inode) => _first.ContainsKey(inode);

    /// <summary>The indexes of the candidates with this inode.</summary>
    public IEnumerable<int> Connections(uint inode)
    {
        for (int i = _first.GetValueOrDefault(inode, None); i != None; i = _next[i])
        {
            yield return i;
        }
    }
}
