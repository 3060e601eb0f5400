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

    /// <summary>How long a peer may be silent, in milliseconds.</summary>
    public uint TimeMs { get; } = (uint)time.TotalMilliseconds;

    /// <summary>Whether the peer is asked, as far as the connection tells without its options. Otherwise why not.</summary>
    public Outcome? Verdict(ref readonly Connection now, in SocketFacts facts) =>
        now.State is not (TcpState.Established or TcpState.CloseWait or TcpState.FinWait2) || !facts.HasClocks ? Outcome.Unproved
        : facts.LastHeardMs < TimeMs ? Outcome.Answered
        : HasOutstanding(in facts) || facts.RtoMs > TimeMs / Timeouts ? Outcome.Unproved
        : null;

    /// <summary>Whether data is outstanding, which the kernel alone sends again, when it sees fit.</summary>
    public static bool HasOutstanding(in SocketFacts facts) =>
        facts.Unacked is > 0 and not SocketFacts.Unknown || facts.NotSent is > 0 and not SocketFacts.Unknown;

    /// <summary>How many probes may be sent: 0, none.</summary>
    /// <param name="own">The application's options.</param>
    /// <param name="facts">What the kernel tells of the socket.</param>
    public int Allowed(KeepaliveOptions own, in SocketFacts facts)
    {
        if (!own.IsOn)
        {
            return int.MaxValue;
        }

        // Its own next probe: as the timer says, where it is the one that is shown; else by what it was set to.
        ulong nextMs = facts.Timer == SocketFacts.KeepaliveTimer ? facts.ExpiresMs
            : (ulong)own.Idle * SecondMs > facts.LastHeardMs ? (ulong)own.Idle * SecondMs - facts.LastHeardMs
            : 0;
        return own.UserTimeoutMs != 0 || own.Count <= LeftToApplication || nextMs <= TimeMs
            ? 0
            : Math.Max(own.Count - LeftToApplication - facts.Probes, 0);
    }

    /// <summary>How far apart so many probes are, in milliseconds: a second, or as far as they have to be spread to last.</summary>
    public uint IntervalMs(int allowed) => Math.Max(SecondMs, TimeMs / (uint)allowed);
}
