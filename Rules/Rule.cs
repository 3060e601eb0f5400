using System.Globalization;
using TcpCloser.Interop;

namespace TcpCloser.Rules;

/// <summary>
/// Which connections are selected, when they count as dead, how they are closed, and how many at most. The parser sets it, option by
/// option; afterwards it does not change. Defaults mean "not requested".
/// </summary>
internal sealed class Rule
{
    /// <summary>The name of the run in log lines, records and metrics; null: none.</summary>
    public string? Name { get; set; }

    /// <summary>The families given, or those that addresses and ports imply; 0 until the parser has decided.</summary>
    public Families Families { get; set; }

    /// <summary>Local ports. As with all selectors here, an empty list selects any.</summary>
    public List<PortRange> SourcePorts { get; init; } = [];

    public List<PortRange> DestinationPorts { get; init; } = [];

    public List<AddressPrefix> Sources { get; init; } = [];

    public List<AddressPrefix> Destinations { get; init; } = [];

    /// <summary>Local addresses to exclude.</summary>
    public List<AddressPrefix> NotSources { get; init; } = [];

    public List<AddressPrefix> NotDestinations { get; init; } = [];

    /// <summary>The TCP states to select: bit <c>1 &lt;&lt; state</c>; 0 until the parser has decided.</summary>
    public uint States { get; set; }

    public List<uint> Uids { get; init; } = [];

    /// <summary>Users to exclude.</summary>
    public List<uint> NotUids { get; init; } = [];

    public List<int> Pids { get; init; } = [];

    /// <summary>Names of processes, as in /proc/PID/comm.</summary>
    public List<string> Comms { get; init; } = [];

    /// <summary>Names of processes whose sockets are excluded.</summary>
    public List<string> NotComms { get; init; } = [];

    /// <summary>Devices that the socket is bound to.</summary>
    public List<string> Interfaces { get; init; } = [];

    public List<SocketMark> Marks { get; init; } = [];

    /// <summary>Cgroups (v2), with all that is below them: paths, names of units, ids of containers.</summary>
    public List<string> Cgroups { get; init; } = [];

    /// <summary>Cgroups to exclude, likewise.</summary>
    public List<string> NotCgroups { get; init; } = [];

    /// <summary>Pods, as <c>NAMESPACE/NAME</c>.</summary>
    public List<string> Pods { get; init; } = [];

    /// <summary>Files that name connections; <c>-</c> is stdin.</summary>
    public List<string> Only { get; init; } = [];

    /// <summary>The connections that these files named when the command line was parsed; null: there is no such file.</summary>
    public NamedConnections? NamedConnections { get; set; }

    /// <summary>Network namespaces to look in, as they were typed; empty: the program's own.</summary>
    public List<string> Netns { get; init; } = [];

    public bool AllNetns { get; set; }

    /// <summary>Select only connections whose local address the network namespace does not have now.</summary>
    public bool SrcGone { get; set; }

    /// <summary>Close only if no data was received for this long; zero: idle or not.</summary>
    public TimeSpan IdleTime { get; set; }

    /// <summary>Skip if no data was received for this long or longer; zero: no limit.</summary>
    public TimeSpan LastRecvLimit { get; set; }

    /// <summary>The direction of data that counts for <see cref="IdleTime"/> and <see cref="LastRecvLimit"/>.</summary>
    public IdleBy IdleBy { get; set; }

    /// <summary>Close only if something sent has provably not been acknowledged for this long; zero: no such condition.</summary>
    public TimeSpan NoAckFor { get; set; }

    /// <summary>Close only if the peer does not answer probes for this long; zero: it is not probed.</summary>
    public TimeSpan Probe { get; set; }

    /// <summary>Close only what has matched in every round of the service for this long; zero: no such condition.</summary>
    public TimeSpan MatchedFor { get; set; }

    public Method Method { get; set; } = MethodName.Default;

    /// <summary>
    /// The parameters that <see cref="Method.Keepalive"/> sets; null: the default, and only on sockets without keepalive.
    /// </summary>
    public KeepaliveTimes? Keepalive { get; set; }

    /// <summary>The TCP_USER_TIMEOUT that <see cref="Method.Keepalive"/> also sets; null: unchanged.</summary>
    public TimeSpan? UserTimeout { get; set; }

    /// <summary>The signal of <c>--signal</c>; null: the default.</summary>
    public int? NamedSignal { get; set; }

    /// <summary>The signal that <see cref="Method.Kill"/> sends.</summary>
    public int Signal => NamedSignal ?? (Grace is null ? Interop.Signal.SIGKILL : Interop.Signal.SIGTERM);

    /// <summary>The time after which processes still alive get SIGKILL; null: no second signal.</summary>
    public TimeSpan? Grace { get; set; }

    /// <summary>Close nothing if more connections than this would be closed; null: no limit.</summary>
    public int? Max { get; set; }

    /// <summary>Close at most this many connections in one round; null: no limit.</summary>
    public int? Limit { get; set; }

    /// <summary>How many connections of each group stay open; null: none has to.</summary>
    public KeepQuota? Keep { get; set; }

    /// <summary>Also close the connection that carries the operator's session.</summary>
    public bool IncludeOwnSession { get; set; }

    /// <summary>Whether a connection's clocks decide. Otherwise every matching connection is closed.</summary>
    public bool ConsultsClocks => IdleTime > TimeSpan.Zero || LastRecvLimit > TimeSpan.Zero || NoAckFor > TimeSpan.Zero;

    /// <summary>Whether the processes that hold a socket decide.</summary>
    public bool NamesProcesses => Pids.Count + Comms.Count > 0;

    /// <summary>Whether the cgroup of a socket decides.</summary>
    public bool NamesCgroups => Cgroups.Count + NotCgroups.Count + Pods.Count > 0;

    /// <summary>Whether an address is limited to one device.</summary>
    public bool NamesAddressDevices => AddressPrefix.AnyNamesDevice(Sources) || AddressPrefix.AnyNamesDevice(Destinations)
        || AddressPrefix.AnyNamesDevice(NotSources) || AddressPrefix.AnyNamesDevice(NotDestinations);

    /// <summary>Whether network namespaces were given, so that not only the program's own is inspected.</summary>
    public bool NamesNamespaces => AllNetns || Netns.Count > 0;

    /// <summary>Whether the options select connections. A rule that selects nothing must not close everything.</summary>
    public bool Selects => SourcePorts.Count + DestinationPorts.Count + Sources.Count + Destinations.Count + Uids.Count + Pids.Count
        + Comms.Count + Interfaces.Count + Marks.Count + Cgroups.Count + Pods.Count + Only.Count > 0 || SrcGone || SelectsStates;

    /// <summary>
    /// Whether the states alone are a selection: all of them follow a close. In TIME_WAIT no process holds the connection any more;
    /// in the other states one may, so an idle time is required, or a time in which it matched.
    /// </summary>
    private bool SelectsStates => StateSet.AreAfterClose(States)
        && (States == 1u << TcpState.TimeWait || IdleTime > TimeSpan.Zero || MatchedFor > TimeSpan.Zero);
}

/// <summary>The families that <c>-4</c> and <c>-6</c> select.</summary>
[Flags]
internal enum Families
{
    /// <summary>All IPv4 connections, including those on dual-stack IPv6 sockets.</summary>
    IPv4 = 1,

    /// <summary>All connections of IPv6 sockets, including those to IPv4 peers.</summary>
    IPv6 = 2,
}

/// <summary>The direction of data that counts as activity.</summary>
internal enum IdleBy
{
    /// <summary>Data received.</summary>
    Recv,

    /// <summary>Data sent, including retransmissions.</summary>
    Send,

    /// <summary>The more recent of the two.</summary>
    Both,
}

/// <summary>The quota of <c>--keep</c>: the number of connections that stay open in each group.</summary>
internal readonly struct KeepQuota(int count, GroupKey key)
{
    public int Count { get; } = count;

    public GroupKey Key { get; } = key;
}

/// <summary>The ports from <see cref="First"/> to <see cref="Last"/>, inclusive, in host byte order.</summary>
internal readonly struct PortRange(ushort first, ushort last)
{
    public ushort First { get; } = first;

    public ushort Last { get; } = last;
}

/// <summary>A firewall mark (SO_MARK) and the mask of its significant bits, in the syntax of ss(8): <c>0x10/0xff</c>.</summary>
internal readonly struct SocketMark(uint mark, uint mask)
{
    public uint Mark { get; } = mark;

    public uint Mask { get; } = mask;

    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"0x{Mark:x}/0x{Mask:x}");
}

/// <summary>TCP_KEEPIDLE, TCP_KEEPINTVL and TCP_KEEPCNT (tcp(7)). Times are in seconds.</summary>
internal readonly struct KeepaliveTimes(int idle, int interval, int count)
{
    /// <summary>
    /// The maximum that setsockopt(2) accepts, in seconds (net/tcp.h: MAX_TCP_KEEPIDLE, MAX_TCP_KEEPINTVL). The sysctls accept more.
    /// </summary>
    public const int MaxSeconds = 32_767;

    /// <summary>The maximum number of probes (MAX_TCP_KEEPCNT).</summary>
    public const int MaxCount = 127;

    /// <summary>The parameters of a rule without <c>--keepalive</c>.</summary>
    public static KeepaliveTimes Default { get; } = new(60, 10, 6);

    public int Idle { get; } = idle;

    public int Interval { get; } = interval;

    public int Count { get; } = count;

    /// <summary>The time from the last sign of life of a peer until the kernel considers it dead.</summary>
    public TimeSpan DetectionTime => TimeSpan.FromSeconds(Idle + (long)Interval * Count);

    public override string ToString() => $"{Idle}s,{Interval}s,{Count}";
}
