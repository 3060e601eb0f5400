using TcpCloser.Interop;
using TcpCloser.Rules;

namespace TcpCloser.Diag;

/// <summary>
/// Which connections are selected. The kernel's filter is compiled from it, and every socket that the kernel lists is checked against
/// it again: a destroyed connection cannot be restored, so nothing is closed on the kernel's word alone.
/// </summary>
internal sealed record Selection
{
    /// <summary>Every TCP socket except listeners, of both families.</summary>
    public static Selection EveryConnection { get; } = new()
    {
        Families = Families.IPv4 | Families.IPv6,
        States = StateSet.EveryConnection,
    };

    /// <summary>Every TCP socket, of both families.</summary>
    public static Selection EverySocket { get; } = new()
    {
        Families = Families.IPv4 | Families.IPv6,
        States = StateSet.All,
    };

    public Families Families { get; init; } = Families.IPv4;

    /// <summary>The states: bit <c>1 &lt;&lt; state</c>.</summary>
    public uint States { get; init; } = 1u << TcpState.Established;

    /// <summary>Null: any.</summary>
    public PortSet? SourcePorts { get; init; }

    public PortSet? DestinationPorts { get; init; }

    /// <summary>Empty: any. The same applies to the following lists.</summary>
    public IReadOnlyList<AddressPrefix> Sources { get; init; } = [];

    public IReadOnlyList<AddressPrefix> Destinations { get; init; } = [];

    /// <summary>Addresses to exclude; empty: none.</summary>
    public IReadOnlyList<AddressPrefix> NotSources { get; init; } = [];

    public IReadOnlyList<AddressPrefix> NotDestinations { get; init; } = [];

    public IReadOnlyList<SocketMark> Marks { get; init; } = [];

    public IReadOnlyList<uint> Uids { get; init; } = [];

    /// <summary>Users to exclude; empty: none.</summary>
    public IReadOnlyList<uint> NotUids { get; init; } = [];

    /// <param name="families">The families to use instead of the rule's; null: the rule's.</param>
    /// <param name="states">The states to use instead of the rule's; null: the rule's.</param>
    public static Selection Of(Rule rule, Families? families = null, uint? states = null) => new()
    {
        Families = families ?? rule.Families,
        States = states ?? rule.States,
        SourcePorts = rule.SourcePorts.Count > 0 ? new PortSet(rule.SourcePorts) : null,
        DestinationPorts = rule.DestinationPorts.Count > 0 ? new PortSet(rule.DestinationPorts) : null,
        Sources = rule.Sources,
        Destinations = rule.Destinations,
        NotSources = rule.NotSources,
        NotDestinations = rule.NotDestinations,
        Marks = rule.Marks,
        Uids = rule.Uids,
        NotUids = rule.NotUids,
    };

    /// <summary>The same selection with the local and the remote end exchanged; null: it selects by neither.</summary>
    public Selection? Exchanged() => SourcePorts is null && DestinationPorts is null && Sources.Count + Destinations.Count == 0 ? null : this with
    {
        SourcePorts = DestinationPorts,
        DestinationPorts = SourcePorts,
        Sources = Destinations,
        Destinations = Sources,
        NotSources = NotDestinations,
        NotDestinations = NotSources,
    };

    /// <summary>Whether the connection is of one of those families. IPv4 on a dual-stack socket is of both.</summary>
    public static bool MatchesFamily(ref readonly Connection connection, Families families) =>
        (families.HasFlag(Families.IPv6) && connection.Family == Socket.AF_INET6)
        || (families.HasFlag(Families.IPv4) && connection.IsIPv4);

    /// <summary>Whether the connection is selected.</summary>
    /// <param name="attributes">The attributes of its socket.</param>
    /// <param name="context">The current meaning of the names.</param>
    /// <param name="kernelDecides">Whether the kernel's filter decided on marks and cgroups.</param>
    public Match Match(ref readonly Connection connection, in SocketAttributes attributes, RuleContext context, bool kernelDecides)
    {
        bool matches = (States >> connection.State & 1) != 0
            && MatchesFamily(in connection, Families)
            && (SourcePorts is null || SourcePorts.Contains(connection.SourcePort))
            && (DestinationPorts is null || DestinationPorts.Contains(connection.DestinationPort))
            && (Sources.Count == 0 || IsInAny(Sources, in connection, in connection.Source, context))
            && (Destinations.Count == 0 || IsInAny(Destinations, in connection, in connection.Destination, context))
            && !IsInAny(NotSources, in connection, in connection.Source, context)
            && !IsInAny(NotDestinations, in connection, in connection.Destination, context)
            && (context.Interfaces is null || Contains(context.Interfaces, connection.Interface))
            && MatchesUserAndHolder(in connection, context)
            && (context.Only is null || context.Only.Contains(in connection));
        if (!matches)
        {
            return Diag.Match.No;
        }

        // A reported mark or cgroup is checked against the selection; without it, the kernel's filter must have decided.
        bool undecided = false;
        if (Marks.Count > 0)
        {
            matches = attributes.Mark is { } mark && MatchesMark(mark);
            undecided = attributes.Mark is null;
        }

        if (context.CgroupIds is not null)
        {
            matches = (matches || undecided) && (attributes.CgroupId is not { } id || context.CgroupIds.Contains(id));
            undecided = matches && (undecided || attributes.CgroupId is null);
        }

        if (context.CgroupExclusions is not null && (matches || undecided))
        {
            if (attributes.CgroupId is not { } id || !context.CgroupExclusions.TryGetValue(id, out bool isExcluded))
            {
                return Diag.Match.UnknownCgroup;
            }

            matches &= !isExcluded;
            undecided &= !isExcluded;
        }

        return undecided ? kernelDecides ? Diag.Match.Yes : Diag.Match.Undecided
            : matches ? Diag.Match.Yes
            : Diag.Match.No;
    }

    /// <summary>A socket that no process has open shows uid 0, which does not make it root's.</summary>
    private bool MatchesUserAndHolder(ref readonly Connection connection, RuleContext context) => connection.Inode == 0
        ? Uids.Count == 0 && context.OwnedInodes is null
            && !(IsQueued(in connection) && (context.ExcludesQueued || Contains(NotUids, connection.Uid)))
        : (Uids.Count == 0 || Contains(Uids, connection.Uid))
            && !Contains(NotUids, connection.Uid)
            && (context.OwnedInodes is null || context.OwnedInodes.Contains(connection.Inode))
            && (context.ExcludedInodes is null || !context.ExcludedInodes.Contains(connection.Inode))
            && !context.ExcludesEveryHeld;

    /// <summary>Whether the connection, which no process holds, waits to be accepted. It shows the user of its listener.</summary>
    private static bool IsQueued(ref readonly Connection connection) => connection.State is TcpState.Established or TcpState.CloseWait;

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
                if (prefix.Contains(bytes) && (prefix.Device is null || IsOn(prefix.Device, in connection, context)))
                {
                    return true;
                }
            }
            else if (prefix.Family == Socket.AF_INET && address.IsMappedIPv4 && prefix.Contains(bytes[12..]))
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>The kernel binds a socket to the device of its link-local address.</summary>
    private static bool IsOn(string device, ref readonly Connection connection, RuleContext context) =>
        connection.Interface != 0 && context.AddressDevices is { } devices && devices[device] == connection.Interface;
}

/// <summary>The current meaning of the names in a rule, in one network namespace; it is looked up again in each round.</summary>
internal sealed class RuleContext
{
    /// <summary>A context for a rule without names.</summary>
    public static RuleContext Empty { get; } = new();

    /// <summary>Ids of cgroups; null: any. An id changes when a service is restarted.</summary>
    public HashSet<ulong>? CgroupIds { get; init; }

    /// <summary>
    /// By id, whether a cgroup is excluded; null: none is. A cgroup that is not in it may be below an excluded one: it was created or
    /// removed meanwhile, or it is not visible.
    /// </summary>
    public Dictionary<ulong, bool>? CgroupExclusions { get; init; }

    /// <summary>Indexes of devices; null: any. They differ from namespace to namespace.</summary>
    public IReadOnlyList<uint>? Interfaces { get; init; }

    /// <summary>Indexes of the devices that are named in addresses; 0: no device has that name.</summary>
    public IReadOnlyDictionary<string, uint>? AddressDevices { get; init; }

    /// <summary>Inodes of the sockets that the named processes hold; null: any.</summary>
    public HashSet<uint>? OwnedInodes { get; init; }

    /// <summary>The connections that <c>--only</c> names; null: any. Their file may change from round to round.</summary>
    public OnlyFilter? Only { get; init; }

    /// <summary>Inodes of the sockets that the excluded processes hold; null: none is excluded.</summary>
    public HashSet<uint>? ExcludedInodes { get; init; }

    /// <summary>Whether an excluded process may hold any socket, because some processes could not be inspected.</summary>
    public bool ExcludesEveryHeld { get; init; }

    /// <summary>Whether connections that no process has accepted yet are excluded, because an excluded process may accept them.</summary>
    public bool ExcludesQueued { get; init; }
}

/// <summary>Whether a rule selects a socket.</summary>
internal enum Match
{
    No,

    Yes,

    /// <summary>Unknown: the kernel neither filtered by mark or cgroup nor reported them.</summary>
    Undecided,

    /// <summary>It is unknown whether the socket's cgroup is excluded.</summary>
    UnknownCgroup,
}
