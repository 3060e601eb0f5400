using TcpCloser.Diag;
using TcpCloser.Interop;

namespace TcpCloser.Kill;

/// <summary>Looks again at candidates, each in its network namespace.</summary>
internal sealed class ConnectionWatch(ConnectionList candidates) : IDisposable
{
    /// <summary>What was seen gone stays so: its cookie is never given again, nor does it ever get another owner.</summary>
    private readonly bool[] _isGone = new bool[candidates.Count];

    private NetworkNamespace? _network;
    private SocketLookup? _lookup;

    /// <summary>Why the last look found out nothing; 0: it did.</summary>
    public int Errno { get; private set; }

    /// <summary>Whether the connection is there and somebody has it.</summary>
    public Presence Look(int index) => Look(index, out _, out _);

    /// <summary>
    /// The same, and what it is now. What the kernel winds down by itself after its last owner went (FIN_WAIT1 to a peer that never
    /// answers, FIN_WAIT2, TIME_WAIT) has no inode any more and counts as gone.
    /// </summary>
    public Presence Look(int index, out Connection now, out SocketFacts facts)
    {
        Errno = 0;
        now = default;
        facts = default;
        if (_isGone[index])
        {
            return Presence.Gone;
        }

        try
        {
            NetworkNamespace network = candidates.NamespaceOf(index);
            if (_lookup is null || _network != network)
            {
                _lookup?.Dispose();
                _lookup = null;
                _lookup = new SocketLookup(network);
                _network = network;
            }

            ref Connection connection = ref candidates[index];
            bool isThere = _lookup.TryFind(in connection, out now, out facts) && (now.Inode != 0 || connection.Inode == 0);
            _isGone[index] = !isThere;
            return isThere ? Presence.There : Presence.Gone;
        }
        catch (SystemCallException e)
        {
            Errno = e.Errno;
            return Presence.Unknown;
        }
    }

    public void Dispose() => _lookup?.Dispose();
}
