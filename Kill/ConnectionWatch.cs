using TcpCloser.Diag;

namespace TcpCloser.Kill;

/// <summary>Looks again at connections of a list, each in its network namespace.</summary>
internal sealed class ConnectionWatch(ConnectionList connections) : IDisposable
{
    private NetworkNamespace? _network;
    private SocketLookup? _lookup;

    /// <summary>
    /// Whether the connection is there and somebody has it. What the kernel winds down by itself after its last owner went
    /// (FIN_WAIT1 to a peer that never answers, FIN_WAIT2, TIME_WAIT) has no inode any more and counts as gone.
    /// </summary>
    /// <exception cref="Interop.SystemCallException">The kernel did not answer.</exception>
    public bool Exists(int index, out Connection now, out ReadOnlySpan<byte> info)
    {
        NetworkNamespace network = connections.NamespaceOf(index);
        if (_lookup is null || _network != network)
        {
            _lookup?.Dispose();
            _lookup = null;
            _lookup = new SocketLookup(network);
            _network = network;
        }

        ref Connection connection = ref connections[index];
        return _lookup.TryFind(in connection, out now, out info) && (now.Inode != 0 || connection.Inode == 0);
    }

    public void Dispose() => _lookup?.Dispose();
}
