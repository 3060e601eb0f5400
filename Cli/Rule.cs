using TcpCloser.Interop;

namespace TcpCloser.Cli;

/// <summary>Which connections are meant, when they are dead, how they are closed, and how many at most. It never changes.</summary>
internal sealed class Rule(RuleBuilder builder)
{
#if NO_SOCK_DESTROY
    public const Method DefaultMethod = Method.Kill;
#else
    public const Method DefaultMethod = Method.Auto;
#endif

    /// <summary>What the run is called in lines, records and metrics; null: nothing.</summary>
    public string? Name { get; } = builder.Name;

    public Families Families { get; } = FamilyChoice.Decide(builder);

    /// <summary>The local ports asked for; empty: any. So it is with all lists here.</summary>
    public IReadOnlyList<PortRange> SourcePorts { get; } = builder.SourcePorts.ToArray();

    public IReadOnlyList<PortRange> DestinationPorts { get; } = builder.DestinationPorts.ToArray();

    public IReadOnlyList<AddressPrefix> Sources { get; } = builder.Sources.ToArray();

    public IReadOnlyList<AddressPrefix> Destinations { get; } = builder.Destinations.ToArray();

    /// <summary>Local addresses to leave alone; empty: none.</summary>
    public IReadOnlyList<AddressPrefix> NotSources { get; } = builder.NotSources.ToArray();

    public IReadOnlyList<AddressPrefix> NotDestinations { get; } = builder.NotDestinations.ToArray();

    /// <summary>The TCP states asked for: bit <c>1 &lt;&lt; state</c>.</summary>
    public uint States { get; } = builder.States == 0 ? 1u << TcpState.Established : builder.States;

    public uint[] Uids { get; } = builder.Uids.ToArray();

    public int[] Pids { get; } = builder.Pids.ToArray();

    /// <summary>Names of processes as /proc/PID/comm has them.</summary>
    public IReadOnlyList<string> Comms { get; } = builder.Comms.ToArray();

    /// <summary>Devices that the socket is bound to.</summary>
    public IReadOnlyList<string> Interfaces { get; } = builder.Interfaces.ToArray();

    public IReadOnlyList<SocketMark> Marks { get; } = builder.Marks.ToArray();

    /// <summary>Directories of cgroup v2.</summary>
    public IReadOnlyList<string> Cgroups { get; } = builder.Cgroups.ToArray();

    /// <summary>Network namespaces to look in, as they were named; empty: the own one.</summary>
    public IReadOnlyList<string> Netns { get; } = builder.Netns.ToArray();

    public bool AllNetns { get; } = builder.AllNetns;

    /// <summary>Only connections whose local address the network namespace does not have now.</summary>
    public bool SrcGone { get; } = builder.SrcGone;

    /// <summary>Close only where at least this has passed since data was last received; zero: idle or not.</summary>
    public TimeSpan IdleTime { get; } = builder.IdleTime;

    /// <summary>Leave alone where this or more has passed since data was last received; zero: no limit.</summary>
    public TimeSpan LastRecvLimit { get; } = builder.LastRecvLimit;

    /// <summary>Which direction counts for both of these.</summary>
    public IdleBy IdleBy { get; } = builder.IdleBy;

    /// <summary>Close only where it is proved that nobody acknowledged for this long; zero: no such condition.</summary>
    public TimeSpan NoAckFor { get; } = builder.NoAckFor;

    /// <summary>Close only where the peer answers nothing to keepalive probes for this long; zero: it is not asked.</summary>
    public TimeSpan Probe { get; } = builder.Probe;

    public Method Method { get; } = builder.Method;

    /// <summary>The values that <see cref="Method.Keepalive"/> gives; null: the default, and only to sockets without keepalive.</summary>
    public KeepaliveTimes? Keepalive { get; } = builder.Keepalive;

    /// <summary>The TCP_USER_TIMEOUT that <see cref="Method.Keepalive"/> gives besides; null: untouched.</summary>
    public TimeSpan? UserTimeout { get; } = builder.UserTimeout;

    /// <summary>The signal that <see cref="Method.Kill"/> sends.</summary>
    public int Signal { get; } = builder.Signal ?? (builder.Grace is null ? Interop.Signal.SIGKILL : Interop.Signal.SIGTERM);

    /// <summary>After this, SIGKILL for what still lives; null: no second signal.</summary>
    public TimeSpan? Grace { get; } = builder.Grace;

    /// <summary>Where more connections than this would be closed, none is; null: no limit.</summary>
    public int? Max { get; } = builder.Max;

    /// <summary>Close also the connection that carries the operator's own session.</summary>
    public bool IncludeOwnSession { get; } = builder.IncludeOwnSession;

    /// <summary>Whether any option makes the clocks decide. Without one, every matching connection is closed.</summary>
    public bool ConsultsClocks => IdleTime > TimeSpan.Zero || LastRecvLimit > TimeSpan.Zero || NoAckFor > TimeSpan.Zero;

    /// <summary>Whether the processes that hold a socket decide.</summary>
    public bool NamesProcesses => Pids.Length + Comms.Count > 0;

    /// <summary>Whether an address is meant on one device alone.</summary>
    public bool NamesAddressDevices => AddressPrefix.AnyNamesDevice(Sources) || AddressPrefix.AnyNamesDevice(Destinations)
        || AddressPrefix.AnyNamesDevice(NotSources) || AddressPrefix.AnyNamesDevice(NotDestinations);

    /// <summary>Whether other network namespaces than the own one are looked in.</summary>
    public bool NamesNamespaces => AllNetns || Netns.Count > 0;

    /// <summary>Whether anything is selected that connections are closed for.</summary>
    public bool Selects => SourcePorts.Count + DestinationPorts.Count + Sources.Count + Destinations.Count + Uids.Length + Pids.Length
        + Comms.Count + Interfaces.Count + Marks.Count + Cgroups.Count > 0 || SrcGone || SelectsStates;

    /// <summary>
    /// Whether the states are a selection by themselves: only such as follow a close. In TIME_WAIT no process has the
    /// connection any more; in the others one may, so that they have to be idle, too.
    /// </summary>
    private bool SelectsStates => StateList.AreAfterClose(States) && (States == 1u << TcpState.TimeWait || IdleTime > TimeSpan.Zero);
}
