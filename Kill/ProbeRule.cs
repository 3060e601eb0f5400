using TcpCloser.Diag;
using TcpCloser.Interop;

namespace TcpCloser.Kill;

/// <summary>
/// Whether a peer may be asked, how often, and how far apart. Unanswered probes count towards the application's own limits once its
/// options are back, and asking must never end a connection that lives.
/// </summary>
internal sealed class ProbeRule(TimeSpan time)
{
    private const uint SecondMs = 1_000;

    /// <summary>How many retransmission timeouts of the path the peer is given at least.</summary>
    private const uint Timeouts = 4;

    /// <summary>Two unanswered probes are left to the application's own keepalive.</summary>
    private const int LeftToApplication = 2;

    /// <summary>That many unanswered probes are no accident, whatever the path loses.</summary>
    private const uint Most = 10;

    /// <summary>How long a peer may be silent, in milliseconds.</summary>
    public uint TimeMs { get; } = (uint)time.TotalMilliseconds;

    /// <summary>Whether the peer is asked, as far as the connection tells without its options: null. Otherwise why not.</summary>
    public Outcome? Verdict(in SocketFacts facts) =>
        !facts.HasClocks || facts.State is not (TcpState.Established or TcpState.CloseWait or TcpState.FinWait2) ? Outcome.Unproved
        : facts.LastHeardMs < TimeMs ? Outcome.Answered
        : HasOutstanding(in facts) || facts.RtoMs > TimeMs / Timeouts ? Outcome.Unproved
        : null;

    /// <summary>Whether data is outstanding, which the kernel alone sends again, when it sees fit.</summary>
    public static bool HasOutstanding(in SocketFacts facts) =>
        facts.Unacked is > 0 and not SocketFacts.Unknown || facts.NotSent is > 0 and not SocketFacts.Unknown;

    /// <summary>
    /// How many more probes may go unanswered: those that did already are in the kernel's count, whoever sent them. 0 where the
    /// application's own keepalive would not bear it.
    /// </summary>
    /// <param name="own">The application's options.</param>
    /// <param name="facts">What the kernel tells of the socket.</param>
    public static int Allowed(KeepaliveOptions own, in SocketFacts facts) =>
        !own.IsOn ? int.MaxValue
        : own.UserTimeoutMs != 0 ? 0
        : Math.Max(own.Count - LeftToApplication - facts.Probes, 0);

    /// <summary>
    /// Whether the application's own next probe comes within that time, or has come: putting TCP_KEEPIDLE back once it has passed sends
    /// another at once.
    /// </summary>
    public static bool AsksItself(KeepaliveOptions own, in SocketFacts facts, uint withinMs) =>
        own.IsOn && facts.LastHeardMs + (ulong)withinMs >= (ulong)own.Idle * SecondMs;

    /// <summary>How far apart so many probes are, in milliseconds: a second, or as far as they have to be spread to last.</summary>
    public uint IntervalMs(int allowed) => Math.Max(SecondMs, TimeMs / (uint)allowed);

    /// <summary>
    /// When a peer that answered nothing has had its time, and the last probe its own. Before the first probe there is no end.
    /// </summary>
    public long EndOf(ref readonly ProbedPeer peer) => peer.FirstAskedAt == 0
        ? long.MaxValue
        : Math.Max(peer.FirstAskedAt + TimeMs, peer.LastAskedAt + (TimeMs / Timeouts));

    /// <summary>
    /// Whether as many probes left as fit into the time: who asks many, or was held up, may have sent fewer by its end. Null: not yet.
    /// </summary>
    public bool? Enough(ref readonly ProbedPeer peer)
    {
        int wanted = (int)Math.Clamp(TimeMs / peer.IntervalMs, 1, Most);
        return peer.Sent >= wanted ? true
            : peer.NextAt == long.MaxValue || peer.Asked >= 2 * wanted ? false
            : null;
    }
}
