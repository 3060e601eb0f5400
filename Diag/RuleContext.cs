namespace TcpCloser.Diag;

/// <summary>What the names in a rule mean now, in one network namespace: it is looked up anew for each round.</summary>
internal sealed class RuleContext
{
    /// <summary>A context in which nothing had to be looked up.</summary>
    public static RuleContext Empty { get; } = new();

    /// <summary>Ids of cgroups; null: any. An id changes when a service is started anew.</summary>
    public IReadOnlyList<ulong>? CgroupIds { get; init; }

    /// <summary>Indexes of devices; null: any. They differ from namespace to namespace.</summary>
    public IReadOnlyList<uint>? Interfaces { get; init; }

    /// <summary>Indexes of the devices that addresses name; 0: there is none of that name.</summary>
    public IReadOnlyDictionary<string, uint>? AddressDevices { get; init; }

    /// <summary>Inodes of the sockets that the named processes hold; null: any.</summary>
    public HashSet<uint>? OwnedInodes { get; init; }
}
