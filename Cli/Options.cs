using TcpCloser.Interop;

namespace TcpCloser.Cli;

/// <summary>The checked command line.</summary>
internal sealed record Options
{
#if NO_SOCK_DESTROY
    public const Method DefaultMethod = Method.Kill;
#else
    public const Method DefaultMethod = Method.Destroy;
#endif

    public Families Families { get; init; } = Families.IPv4;

    /// <summary>The local ports asked for; empty: any.</summary>
    public IReadOnlyList<PortRange> SourcePorts { get; init; } = [];

    /// <summary>The remote ports asked for; empty: any.</summary>
    public IReadOnlyList<PortRange> DestinationPorts { get; init; } = [];

    /// <summary>The TCP states asked for: bit <c>1 &lt;&lt; state</c>.</summary>
    public uint States { get; init; } = 1u << TcpState.Established;

    /// <summary>Close only where at least this has passed since data was last received; zero: idle or not.</summary>
    public TimeSpan IdleTime { get; init; }

    /// <summary>Leave alone where this or more has passed since data was last received; zero: no limit.</summary>
    public TimeSpan LastRecvLimit { get; init; }

    public Method Method { get; init; } = DefaultMethod;

    /// <summary>The signal that <see cref="Method.Kill"/> sends.</summary>
    public int Signal { get; init; } = Interop.Signal.SIGKILL;

    public bool DryRun { get; init; }

    /// <summary>Run as a service, a round each interval; null: once.</summary>
    public TimeSpan? Interval { get; init; }

    /// <summary>Where the log goes in place of stderr.</summary>
    public string? LogFile { get; init; }

    public bool Syslog { get; init; } = true;

    public bool Verbose { get; init; }

    /// <summary>Whether any option makes the clocks decide. Without one, every matching connection is closed.</summary>
    public bool ConsultsClocks => IdleTime > TimeSpan.Zero || LastRecvLimit > TimeSpan.Zero;
}
