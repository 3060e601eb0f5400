namespace TcpCloser.Cli;

/// <summary>What a <see cref="Rule"/> is made of. What is left as it is here is not asked for.</summary>
internal sealed class RuleBuilder
{
    /// <summary>What the run is called; null: nothing.</summary>
    public string? Name { get; set; }

    /// <summary>The families that were named; 0: addresses and ports decide.</summary>
    public Families Families { get; set; }

    public List<PortRange> SourcePorts { get; set; } = [];

    public List<PortRange> DestinationPorts { get; set; } = [];

    public List<AddressPrefix> Sources { get; set; } = [];

    public List<AddressPrefix> Destinations { get; set; } = [];

    public List<AddressPrefix> NotSources { get; set; } = [];

    public List<AddressPrefix> NotDestinations { get; set; } = [];

    /// <summary>The states that were named, bit <c>1 &lt;&lt; state</c>; 0: established.</summary>
    public uint States { get; set; }

    public List<uint> Uids { get; set; } = [];

    public List<int> Pids { get; set; } = [];

    public List<string> Comms { get; set; } = [];

    public List<string> Interfaces { get; set; } = [];

    public List<SocketMark> Marks { get; set; } = [];

    public List<string> Cgroups { get; set; } = [];

    public List<string> Netns { get; set; } = [];

    public bool AllNetns { get; set; }

    public bool SrcGone { get; set; }

    public TimeSpan IdleTime { get; set; }

    public TimeSpan LastRecvLimit { get; set; }

    public IdleBy IdleBy { get; set; }

    public TimeSpan NoAckFor { get; set; }

    public Method Method { get; set; } = Rule.DefaultMethod;

    /// <summary>The signal that was named; null: SIGKILL, or SIGTERM where there is a grace.</summary>
    public int? Signal { get; set; }

    public TimeSpan? Grace { get; set; }

    public TimeSpan Probe { get; set; }

    /// <summary>What was named; null: the default, for sockets without keepalive.</summary>
    public KeepaliveTimes? Keepalive { get; set; }

    public TimeSpan? UserTimeout { get; set; }

    public int? Max { get; set; }

    public bool IncludeOwnSession { get; set; }

    /// <exception cref="UsageException">Addresses that no connection of the families can have.</exception>
    public Rule Build() => new(this);
}
