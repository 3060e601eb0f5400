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

    public PortSet? DestinationPorts { get; } = options.DestinationPorts.Count > 0 ? new PortSet(options.DestinationPorts) : null;

    /// <summary>Empty: any. So it is with the lists that follow.</summary>
    public IReadOnlyList<AddressPrefix> Sources { get; } = options.Sources;

    public IReadOnlyList<AddressPrefix> Destinations { get; } = options.Destinations;

    public IReadOnlyList<AddressPrefix> NotSources { get; } = options.NotSources;

    public IReadOnlyList<AddressPrefix> NotDestinations { get; } = options.NotDestinations;

    public IReadOnlyList<SocketMark> Marks { get; } = options.Marks;

    /// <summary>Ids of cgroups; null: any. An id may change when a service is started anew, so they are set for each round.</summary>
    public List<ulong>? CgroupIds { get; set; }

    /// <summary>Indexes of devices; null: any. They differ from namespace to namespace.</summary>
    public List<uint>? Interfaces { get; set; }

    /// <summary>Inodes of the sockets that the processes meant hold; null: any.</summary>
    public HashSet<uint>? OwnedInodes { get; set; }

    /// <summary>Whether the filter made of it is about ports and families alone.</summary>
    public bool IsOfPortsAlone => Sources.Count + Destinations.Count + NotSources.Count + NotDestinations.Count + Marks.Count
        + options.Cgroups.Count + options.Interfaces.Count == 0;

    /// <summary>Whether the filter made of it stays the same: nothing in it is set anew for a round or a namespace.</summary>
    public bool IsFixed => CgroupIds is null && Interfaces is null;

    /// <summary>Whether the kernel decided over marks and cgroups. TIME_WAIT carries neither, so then its word is all there is.</summary>
    public bool KernelDecides { get; set; }

    /// <summary>Whether a socket came up of which neither the kernel decided nor told its mark or cgroup: it is taken for none that is meant.</summary>
    public bool IsUndecided { get; private set; }

    /// <summary>
    /// Whether the connection is one of those meant. The kernel's filter says the same, as far as the kernel took it; what
    /// is destroyed cannot be put back, so nothing is closed on the kernel's word alone.
    /// </summary>
    public bool Matches(ref readonly Connection connection, in SocketAttributes attributes) =>
        (States >> connection.State & 1) != 0
        && MatchesFamily(in connection)
        && (SourcePorts is null || SourcePorts.Contains(connection.SourcePort))
        && (DestinationPorts is null || DestinationPorts.Contains(connection.DestinationPort))
        && (Sources.Count == 0 || IsInAny(Sources, in connection, in connection.Source))
        && (Destinations.Count == 0 || IsInAny(Destinations, in connection, in connection.Destination))
        && !IsInAny(NotSources, in connection, in connection.Source)
        && !IsInAny(NotDestinations, in connection, in connection.Destination)
        && (Interfaces is null || Interfaces.Contains(connection.Interface))
        && (Marks.Count == 0 || MatchesMark(attributes.Mark))
        && (CgroupIds is null || (attributes.CgroupId is { } id ? CgroupIds.Contains(id) : IsDecidedByKernel()))
        && MatchesOwner(in connection);

    private bool MatchesFamily(ref readonly Connection connection) =>
        (Families.HasFlag(Families.IPv6) && connection.Family == Socket.AF_INET6)
        || (Families.HasFlag(Families.IPv4) && connection.IsIPv4);

    /// <summary>A socket that nobody has open shows uid 0, and is not root's for that.</summary>
    private bool MatchesOwner(ref readonly Connection connection) =>
        (options.Uids.Length == 0 || (connection.Inode != 0 && Array.IndexOf(options.Uids, connection.Uid) >= 0))
        && (OwnedInodes is null || (connection.Inode != 0 && OwnedInodes.Contains(connection.Inode)));

    private bool MatchesMark(uint? mark)
    {
        if (mark is null)
        {
            return IsDecidedByKernel();
        }

        foreach (SocketMark wanted in Marks)
        {
            if ((mark & wanted.Mask) == wanted.Mark)
            {
                return true;
            }
        }

        return false;
    }

    private bool IsDecidedByKernel()
    {
        IsUndecided |= !KernelDecides;
        return KernelDecides;
    }

    private static bool IsInAny(IReadOnlyList<AddressPrefix> prefixes, ref readonly Connection connection, ref readonly Address address)
    {
        for (int i = 0; i < prefixes.Count; i++)
        {
            AddressPrefix prefix = prefixes[i];
            ReadOnlySpan<byte> bytes = Address.Bytes(in address);
            if (prefix.Family == connection.Family)
            {
                if (HasPrefix(bytes, prefix))
                {
                    return true;
                }
            }
            else if (prefix.Family == Socket.AF_INET && address.IsMappedIPv4 && HasPrefix(bytes[12..], prefix))
            {
                return true;
            }
        }

        return false;
    }

    private static bool HasPrefix(ReadOnlySpan<byte> address, AddressPrefix prefix)
    {
        ReadOnlySpan<byte> wanted = Address.Bytes(in prefix.Address);
        int whole = prefix.Length / 8;
        int rest = prefix.Length % 8;
        return address[..whole].SequenceEqual(wanted[..whole])
            && (rest == 0 || (address[whole] ^ wanted[whole]) >> (8 - rest) == 0);
    }
}
