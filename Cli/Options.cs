using TcpCloser.Interop;

namespace TcpCloser.Cli;

/// <summary>
/// The checked command line. A record for its <c>with</c>; what else records have (printing, comparing every property)
/// nobody asks for, and it would be a tenth of the binary.
/// </summary>
internal sealed record Options
{
#if NO_SOCK_DESTROY
    public const Method DefaultMethod = Method.Kill;
#else
    public const Method DefaultMethod = Method.Auto;
#endif

    public Families Families { get; init; } = Families.IPv4;

    /// <summary>The local ports asked for; empty: any. So it is with all lists here.</summary>
    public IReadOnlyList<PortRange> SourcePorts { get; init; } = [];

    public IReadOnlyList<PortRange> DestinationPorts { get; init; } = [];

    public IReadOnlyList<AddressPrefix> Sources { get; init; } = [];

    public IReadOnlyList<AddressPrefix> Destinations { get; init; } = [];

    /// <summary>Local addresses to leave alone; empty: none.</summary>
    public IReadOnlyList<AddressPrefix> NotSources { get; init; } = [];

    public IReadOnlyList<AddressPrefix> NotDestinations { get; init; } = [];

    /// <summary>The TCP states asked for: bit <c>1 &lt;&lt; state</c>.</summary>
    public uint States { get; init; } = 1u << TcpState.Established;

    public uint[] Uids { get; init; } = [];

    public int[] Pids { get; init; } = [];

    /// <summary>Names of processes as /proc/PID/comm has them.</summary>
    public IReadOnlyList<string> Comms { get; init; } = [];

    /// <summary>Devices that the socket is bound to.</summary>
    public IReadOnlyList<string> Interfaces { get; init; } = [];

    public IReadOnlyList<SocketMark> Marks { get; init; } = [];

    /// <summary>Directories of cgroup v2.</summary>
    public IReadOnlyList<string> Cgroups { get; init; } = [];

    /// <summary>Network namespaces to look in, as they were named; empty: the own one.</summary>
    public IReadOnlyList<string> Netns { get; init; } = [];

    public bool AllNetns { get; init; }

    /// <summary>Close only where at least this has passed since data was last received; zero: idle or not.</summary>
    public TimeSpan IdleTime { get; init; }

    /// <summary>Leave alone where this or more has passed since data was last received; zero: no limit.</summary>
    public TimeSpan LastRecvLimit { get; init; }

    /// <summary>Which direction counts for both of these.</summary>
    public IdleBy IdleBy { get; init; }

    /// <summary>Close only where data is in flight and nothing was acknowledged for this long; zero: no such condition.</summary>
    public TimeSpan NoAckFor { get; init; }

    public Method Method { get; init; } = DefaultMethod;

    /// <summary>The signal that <see cref="Method.Kill"/> sends.</summary>
    public int Signal { get; init; } = Interop.Signal.SIGKILL;

    /// <summary>After this, SIGKILL for what still lives; null: no second signal.</summary>
    public TimeSpan? Grace { get; init; }

    public bool DryRun { get; init; }

    /// <summary>Where more connections than this would be closed, none is; null: no limit.</summary>
    public int? Max { get; init; }

    /// <summary>Close also the connection that carries the operator's own session.</summary>
    public bool IncludeOwnSession { get; init; }

    /// <summary>Run as a service, a round each interval; null: once.</summary>
    public TimeSpan? Interval { get; init; }

    /// <summary>Say what this kernel and these privileges allow, and close nothing.</summary>
    public bool Check { get; init; }

    /// <summary>Where the log goes in place of stderr.</summary>
    public string? LogFile { get; init; }

    public bool Syslog { get; init; } = true;

    public bool Verbose { get; init; }

    /// <summary>Print an object for each connection to stdout.</summary>
    public bool Json { get; init; }

    /// <summary>Whether any option makes the clocks decide. Without one, every matching connection is closed.</summary>
    public bool ConsultsClocks => IdleTime > TimeSpan.Zero || LastRecvLimit > TimeSpan.Zero || NoAckFor > TimeSpan.Zero;

    /// <summary>Whether the processes that hold a socket decide.</summary>
    public bool NamesProcesses => Pids.Length + Comms.Count > 0;

    /// <summary>Whether other network namespaces than the own one are looked in.</summary>
    public bool NamesNamespaces => AllNetns || Netns.Count > 0;

    /// <summary>Whether anything is selected that connections are closed for.</summary>
    public bool Selects => SourcePorts.Count + DestinationPorts.Count + Sources.Count + Destinations.Count + Uids.Length + Pids.Length
        + Comms.Count + Interfaces.Count + Marks.Count + Cgroups.Count > 0;

    public bool Equals(Options? other) => ReferenceEquals(this, other);

    public override int GetHashCode() => 0;

    public override string ToString() => nameof(Options);
}
