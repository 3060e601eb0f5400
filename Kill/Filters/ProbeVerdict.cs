using TcpCloser.Diag;
using TcpCloser.Interop;

namespace TcpCloser.Kill;

/// <summary>What the facts of a socket show about the peer that is probed through it.</summary>
internal static class ProbeVerdict
{
    /// <summary>A peer that was heard from within this time is alive and is not probed.</summary>
    private const uint HeardMs = 1_000;

    /// <summary>If an answer may take longer than the probe time divided by this, silence proves nothing.</summary>
    private const uint PathShare = 4;

    /// <summary>A connection that ends within this time after a probe may have been reset in answer to it.</summary>
    private const int ResetMs = 500;

    /// <summary>The verdict on a peer; null: there is none yet.</summary>
    /// <param name="timeMs">How long a peer may be silent.</param>
    public static Outcome? Of(ref readonly ProbedPeer peer, in SocketFacts facts, uint timeMs, long nowMs) =>
        facts.State == TcpState.Close ? WasReset(in peer, in facts, nowMs) ? Outcome.Reset : Outcome.Vanished
        : HasAnswered(in peer, in facts) || (peer.Asked == 0 && facts.LastHeardMs < HeardMs) ? Outcome.Answered
        : facts.State != TcpState.Established ? Outcome.UnprovedState
        : peer.Asked == 0 && facts.PathTimeoutMs > timeMs / PathShare ? Outcome.UnprovedPath
        : null;

    public static bool HasAnswered(ref readonly ProbedPeer peer, in SocketFacts facts) => peer.Asked > 0 && facts.SegmentsIn != peer.SegmentsIn;

    /// <summary>
    /// Whether the answer to the last probe closed the socket: one segment with neither data nor a FIN, which would count as a byte. A
    /// connection that timed out received nothing, and a socket that its own application disconnected restarts its counters at zero. After
    /// <see cref="ResetMs"/>, an answer can no longer be distinguished from another cause.
    /// </summary>
    public static bool WasReset(ref readonly ProbedPeer peer, in SocketFacts facts, long nowMs) =>
        peer.Asked > 0 && facts.SegmentsIn - peer.SegmentsIn == 1 && facts.BytesReceived == peer.BytesReceived && nowMs - peer.LastAskedAt <= ResetMs;
}
