using System.Buffers.Binary;
using TcpCloser.Cli;
using TcpCloser.Interop;

namespace TcpCloser.Diag;

/// <summary>The ports on which something listens, in each network namespace: they tell which side of a connection is the server.</summary>
internal sealed class ListeningPorts
{
    private static readonly DumpQuery s_query = new(
        new Selection { Families = Families.IPv4 | Families.IPv6, States = 1u << TcpState.Listen }, RuleContext.Empty, marksAndCgroups: false);

    private readonly Dictionary<NetworkNamespace, bool[]> _ports = [];

    /// <param name="dump">Lists sockets.</param>
    /// <param name="connections">In whose namespaces to look.</param>
    /// <exception cref="SystemCallException">They could not be listed.</exception>
    public ListeningPorts(SocketDump dump, ConnectionList connections)
    {
        foreach ((NetworkNamespace network, _, _) in connections.Parts)
        {
            _ports[network] = new bool[ushort.MaxValue + 1];
            int errno = dump.Run(network, s_query.Request, new PortCollector(_ports[network]));
            if (errno != 0)
            {
                throw new SystemCallException(Operation.ListSockets, errno);
            }
        }
    }

    /// <summary>The port of the side that listens: the local one where somebody listens there, else the remote one.</summary>
    public ushort Of(ConnectionList connections, int index)
    {
        ref Connection connection = ref connections[index];
        return _ports[connections.NamespaceOf(index)][connection.SourcePort] ? connection.SourcePort : connection.DestinationPort;
    }

    private sealed class PortCollector(bool[] ports) : IDumpSink
    {
        /// <summary>Nothing to forget: what an aborted dump brought is as true as the rest.</summary>
        public void Reset()
        {
        }

        public void Add(ref readonly InetDiagMsg message, in SocketAttributes attributes) =>
            ports[BinaryPrimitives.ReverseEndianness(message.Id.SourcePort)] = true;
    }
}
