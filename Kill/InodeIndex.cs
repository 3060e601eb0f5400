using TcpCloser.Diag;

namespace TcpCloser.Kill;

/// <summary>Which connections have an inode. More than one has where subflows of MPTCP share a socket. Inode 0 is nobody's.</summary>
internal sealed class InodeIndex
{
    private const int None = -1;

    private readonly Dictionary<uint, int> _first;
    private readonly int[] _next;

    public InodeIndex(ConnectionList connections)
    {
        _first = new Dictionary<uint, int>(connections.Count);
        _next = new int[connections.Count];
        for (int i = connections.Count - 1; i >= 0; i--)
        {
            uint inode = connections[i].Inode;
            if (inode != 0)
            {
                _next[i] = _first.TryGetValue(inode, out int first) ? first : None;
                _first[inode] = i;
            }
        }
    }

    public bool Contains(uint inode) => _first.ContainsKey(inode);

    /// <summary>The indexes of the connections with that inode.</summary>
    public IEnumerable<int> Connections(uint inode)
    {
        for (int i = _first.GetValueOrDefault(inode, None); i != None; i = _next[i])
        {
            yield return i;
        }
    }
}
