using TcpCloser.Cli;
using TcpCloser.Interop;

namespace TcpCloser.Diag;

/// <summary>Which connections are meant. The kernel's filter is made of it, and every socket that the kernel lists is held against it again.</summary>
internal sealed class Selection(Options options)
{
    public Families Families { get; } = options.Families;

    /// <summary>Bit <c>1 &lt;&lt; state</c>.</summary>
    public uint States { get; } = options.States;

    /// <summary>Null: any.</summary>
    public PortSet? SourcePorts { get; } = options.SourcePorts.Count > 0 ? new PortSet(options.SourcePorts) : null;

    /// <summary>Null: any.</summary>
    public PortSet? DestinationPorts { get; } = options.DestinationPorts.Count > 0 ? new PortSet(options.DestinationPorts) : null;

    /// <summary>
    /// Whether the connection is one of those meant. The kernel's filter says the same, as far as the kernel took it; what
    /// is destroyed cannot be put back, so nothing is closed on the kernel's word alone.
    /// </summary>
    public bool Matches(ref readonly Connection connection) =>
        (States >> connection.State & 1) != 0
        && MatchesFamily(in connection)
        && (SourcePorts is null || SourcePorts.Contains(connection.SourcePort))
        && (DestinationPorts is null || DestinationPorts.Contains(connection.DestinationPort));

    private bool MatchesFamily(ref readonly Connection connection) =>
        (Families.HasFlag(Families.IPv6) && connection.Family == Socket.AF_INET6)
        || (Families.HasFlag(Families.IPv4) && connection.IsIPv4);
}
