using System.Buffers.Binary;
using TcpCloser.Interop;
using TcpCloser.Rules;

namespace TcpCloser.Diag;

/// <summary>The listening ports of each network namespace. They show which side of a connection is the server.</summary>
internal sealed class ListeningPorts
{
    private static readonly DumpQuery s_query = new(
        new Selection { Families = Families.IPv4 | Families.IPv6, States = 1u << TcpState.Listen }, RuleContext.Empty, marksAndCgroups: false);

    private readonly Dictionary<NetworkNamespace, bool[]> _ports = [];

    /// <param name="lists">The connections whose namespaces are searched.</param>
    /// <exception cref="SystemCallException">The listeners could not be listed.</exception>
    public ListeningPorts(SocketDump dump, ReadOnlySpan<ConnectionList> lists)
    {
        foreach (ConnectionList connections in lists)
        {
            foreach ((NetworkNamespace network, _, _) in connections.Parts)
            {
                if (!_ports.ContainsKey(network))
                {
                    Add(dump, network);
                }
            }
        }
    }

    /// <summary>The port of the listening side: the local port if a socket listens on it, otherwise the remote port.</summary>
    public ushort Of(ConnectionList connections, int index)
    {
        ref Connection connection = ref connections[index];
        return _ports[connections.NamespaceOf(index)][connection.SourcePort] ? connection.SourcePort : connection.DestinationPort;
    }

    private void Add(SocketDump dump, NetworkNamespace network)
    {
        var ports = new bool[ushort.MaxValue + 1];
        _ports.Add(network, ports);
        dump.List(network, s_query.Request, (ref readonly InetDiagMsg message, in SocketAttributes _) =>
            ports[BinaryPrimitives.ReverseEndianness(message.Id.SourcePort)] = true);
    }
}
