using TcpCloser.Proc;

namespace TcpCloser.Kill;

/// <summary>The peers without a verdict, those whose sockets one process holds one after the other.</summary>
internal sealed class ProbedPeers
{
    private readonly ProbedPeer[] _peers;

    /// <param name="candidates">How many candidates there are.</param>
    /// <param name="search">Finds who holds their sockets; one holder of each is enough.</param>
    /// <param name="index">Which of them have an inode.</param>
    /// <param name="now">When all of them are due.</param>
    public ProbedPeers(int candidates, HolderSearch search, InodeIndex index, long now)
    {
        _peers = new ProbedPeer[candidates];
        IsHeld = new bool[candidates];
        while (Count < index.Count && search.Next())
        {
            foreach (HeldSocket socket in search.Holder.Sockets)
            {
                foreach (int i in index.Connections(socket.Inode))
                {
                    if (!IsHeld[i])
                    {
                        IsHeld[i] = true;
                        _peers[Count++] = new ProbedPeer { Index = i, Pid = search.Holder.Pid, Fd = socket.Fd, NextAt = now };
                    }
                }
            }
        }
    }

    public int Count { get; private set; }

    /// <summary>Of each candidate, whether a process was found that holds its socket.</summary>
    public bool[] IsHeld { get; }

    public ref ProbedPeer this[int i] => ref _peers[i];

    /// <summary>When the next of them is to be asked, or has had its time.</summary>
    public long NextAt(ProbeRule rule, long now)
    {
        long next = long.MaxValue;
        for (int i = 0; i < Count; i++)
        {
            ref ProbedPeer peer = ref _peers[i];
            long end = rule.EndOf(in peer);
            next = Math.Min(next, now < end ? Math.Min(end, peer.NextAt) : peer.NextAt);
        }

        return next;
    }

    /// <summary>Takes those out whose verdict is final.</summary>
    public void Compact()
    {
        int kept = 0;
        for (int i = 0; i < Count; i++)
        {
            if (_peers[i].Index >= 0)
            {
                _peers[kept++] = _peers[i];
            }
        }

        Count = kept;
    }
}
