using TcpCloser.Cli;
using TcpCloser.Interop;

namespace TcpCloser.Diag;

/// <summary>
/// Which connections are meant. The kernel's filter is made of it, and every socket that the kernel lists is held against it
/// again: what is destroyed cannot be put back, so nothing is closed on the kernel's word alone.
/// </summary>
internal sealed class Selection
{
    /// <summary>Every TCP socket but listeners, of both families.</summary>
    public static Selection EveryConnection { get; } = new()
    {
        Families = Families.IPv4 | Families.IPv6,
        States = (1u << TcpState.Count) - 2 & ~(1u << TcpState.Listen),
    };

    public Families Families { get; init; } = Families.IPv4;

    /// <summary>Bit <c>1 &lt;&lt; state</c>.</summary>
    public uint States { get; init; } = 1u << TcpState.Established;

    /// <summary>Null: any.</summary>
    public PortSet? SourcePorts { get; init; }

    public PortSet? DestinationPorts { get; init; }

    /// <summary>Empty: any. So it is with the lists that follow.</summary>
    public IReadOnlyList<AddressPrefix> Sources { get; init; } = [];

    public IReadOnlyList<AddressPrefix> Destinations { get; init; } = [];

    /// <summary>Addresses to leave alone; empty: none.</summary>
    public IReadOnlyList<AddressPrefix> NotSources { get; init; } = [];

    public IReadOnlyList<AddressPrefix> NotDestinations { get; init; } = [];

    public IReadOnlyList<SocketMark> Marks { get; init; } = [];

    public IReadOnlyList<uint> Uids { get; init; } = [];

    /// <param name="rule">What a rule selects.</param>
    /// <param name="families">The families to look at in place of the rule's; null: those.</param>
    public static Selection Of(Rule rule, Families? families = null) => new()
    {
        Families = families ?? rule.Families,
        States = rule.States,
        SourcePorts = rule.SourcePorts.Count > 0 ? new PortSet(rule.SourcePorts) : null,
        DestinationPorts = rule.DestinationPorts.Count > 0 ? new PortSet(rule.DestinationPorts) : null,
        Sources = rule.Sources,
        Destinations = rule.Destinations,
        NotSources = rule.NotSources,
        NotDestinations = rule.NotDestinations,
        Marks = rule.Marks,
        Uids = rule.Uids,
    };

    /// <summary>Whether the connection is one of those meant.</summary>
    /// <param name="connection">A socket that the kernel listed.</param>
    /// <param name="attributes">What is attached to it.</param>
    /// <param name="context">What the names mean now.</param>
    /// <param name="kernelDecides">Whether the kernel's filter decided over marks and cgroups.</param>
    public Match Match(ref readonly Connection connection, in SocketAttributes attributes, RuleContext context, bool kernelDecides)
    {
        bool matches = (States >> connection.State & 1) != 0
            && MatchesFamily(in connection)
            && (SourcePorts is null || SourcePorts.Contains(connection.SourcePort))
            && (DestinationPorts is null || DestinationPorts.Contains(connection.DestinationPort))
            && (Sources.Count == 0 || IsInAny(Sources, in connection, in connection.Source, context))
            && (Destinations.Count == 0 || IsInAny(Destinations, in connection, in connection.Destination, context))
            && !IsInAny(NotSources, in connection, in connection.Source, context)
            && !IsInAny(NotDestinations, in connection, in connection.Destination, context)
            && (context.Interfaces is null || Contains(context.Interfaces, connection.Interface))
            && MatchesOwner(in connection, context.OwnedInodes);
        if (!matches)
        {
            return Diag.Match.No;
        }

        // What the socket tells is held against the selection; where it tells nothing, the kernel's filter has to have decided.
        bool undecided = false;
        if (Marks.Count > 0)
        {
            matches = attributes.Mark is { } mark && MatchesMark(mark);
            undecided = attributes.Mark is null;
        }

        if (context.CgroupIds is not null)
        {
            matches = (matches || undecided) && (attributes.CgroupId is not { } id || Contains(context.CgroupIds, id));
            undecided = matches && (undecided || attributes.CgroupId is null);
        }

        return undecided ? kernelDecides ? Diag.Match.Yes : Diag.Match.Undecided
            : matches ? Diag.Match.Yes
            : Diag.Match.No;
    }

    private bool MatchesFamily(ref readonly Connection connection) =>
        (Families.HasFlag(Families.IPv6) && connection.Family == Socket.AF_INET6)
        || (Families.HasFlag(Families.IPv4) && connection.IsIPv4);

    /// <summary>A socket without an owner shows uid 0, which does not make it root's.</summary>
    private bool MatchesOwner(ref readonly Connection connection, HashSet<uint>? ownedInodes) =>
        (Uids.Count == 0 || (connection.Inode != 0 && Contains(Uids, connection.Uid)))
        && (ownedInodes is null || (connection.Inode != 0 && ownedInodes.Contains(connection.Inode)));

    private bool MatchesMark(uint mark)
    {
        for (int i = 0; i < Marks.Count; i++)
        {
            if ((mark & Marks[i].Mask) == Marks[i].Mark)
            {
                return true;
            }
        }

        return false;
    }

    private static bool Contains<T>(IReadOnlyList<T> values, T value) where T : IEquatable<T>
    {
        for (int i = 0; i < values.Count; i++)
        {
            if (values[i].Equals(value))
            {
                return true;
            }
        }

        return false;
    }

    private static bool IsInAny(
        IReadOnlyList<AddressPrefix> prefixes, ref readonly Connection connection, ref readonly Address address, RuleContext context)
    {
        for (int i = 0; i < prefixes.Count; i++)
        {
            AddressPrefix prefix = prefixes[i];
            ReadOnlySpan<byte> bytes = Address.Bytes(in address);
            if (prefix.Family == connection.Family)
            {
                if (HasPrefix(bytes, prefix) && (prefix.Device is null || IsOn(prefix.Device, in connection, context)))
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

    /// <summary>The kernel binds a socket to the device of its link-local address.</summary>
    private static bool IsOn(string device, ref readonly Connection connection, RuleContext context) =>
        connection.Interface != 0 && context.AddressDevices is { } devices && devices[device] == connection.Interface;

    private static bool HasPrefix(ReadOnlySpan<byte> address, AddressPrefix prefix)
    {
        ReadOnlySpan<byte> wanted = Address.Bytes(in prefix.Address);
        int whole = prefix.Length / 8;
        int rest = prefix.Length % 8;
        return address[..whole].SequenceEqual(wanted[..whole])
            && (rest == 0 || (address[whole] ^ wanted[whole]) >> (8 - rest) == 0);
    }
}
