namespace TcpCloser.Diag;

/// <summary>
/// A lower bound for how long data has been unacknowledged, from the kernel's retransmissions and their backoff. An old clock alone
/// proves nothing: a connection that was quiet for an hour and has just sent has one, too. No bound here exceeds the true time.
/// </summary>
internal static class AckProof
{
    /// <summary>The kernel's longest timeout (TCP_RTO_MAX). Timeouts never have to prove more than this.</summary>
    public const uint LongestMs = 120_000;

    /// <summary>
    /// The minimum that the longest timeout can be set to (tcp_rto_max_ms and TCP_RTO_MAX_MS, Linux 6.15). The kernel does not report
    /// a socket's own value.
    /// </summary>
    private const uint MinLongestMs = 1_000;

    private const byte Retransmitting = 1;
    private const byte WindowProbing = 4;

    /// <summary>Keepalive probes are at least this far apart, whether this program or the application enabled them.</summary>
    private const uint ShortestProbeIntervalMs = 1_000;

    /// <summary>The delay before the kernel retries a segment that a full queue refused (TCP_RESOURCE_PROBE_INTERVAL).</summary>
    private const uint RetryMs = 500;

    /// <summary>The minimum of the first wait between window probes (TCP_RTO_MIN).</summary>
    private const uint ShortestTimeoutMs = 200;

    /// <summary>
    /// Whether it is proven that nothing was acknowledged for that long. Timeouts prove no more than the longest timeout; for longer
    /// times, the time since the peer was last heard from decides. The kernel's own retransmission time has no such limit, so it must
    /// itself be that long.
    /// </summary>
    public static bool Holds(in SocketFacts facts, uint ms) =>
        facts.LastHeardMs >= ms && OutstandingMs(in facts) >= (HasSeriesTime(in facts) ? ms : Math.Min(ms, LongestMs));

    /// <summary>A lower bound for how long something has been outstanding, in milliseconds; 0: nothing is, or it is not proven.</summary>
    public static uint OutstandingMs(in SocketFacts facts) => facts.Timer switch
    {
        Retransmitting when facts.Unacked is > 0 and not SocketFacts.Unknown =>
            Math.Max(Retransmission(in facts), HasSeriesTime(in facts) ? facts.TimeoutSeriesMs : 0),
        WindowProbing when facts.Unacked == 0 && facts.NotSent is > 0 and not SocketFacts.Unknown && facts.WriteQueue > 0 => WindowProbe(in facts),
        SocketFacts.KeepaliveTimer when facts.Probes > 0 => (facts.Probes - 1u) * ShortestProbeIntervalMs,
        _ => 0,
    };

    /// <summary>
    /// Whether the kernel reports the time since the first timeout of the current retransmissions (tcp_update_rto_stats, Linux 6.7). It
    /// sums up all series of timeouts in a connection's life, so the sum is usable only in the first series, whose timeouts are the only
    /// ones there ever were. The sum also grows while nothing is retransmitted: without SACK, after everything was acknowledged. The
    /// backoff cannot replace the sum if ICMP unreachables undo the backoff (tcp_ld_RTO_revert, RFC 6069): for a host that has left its
    /// LAN, it stays at three seconds.
    /// </summary>
    private static bool HasSeriesTime(in SocketFacts facts) =>
        facts.Timer == Retransmitting && facts.Retransmits > 0 && facts.TimeoutSeries == 1 && facts.Timeouts == facts.Retransmits
        && facts.TimeoutSeriesMs != SocketFacts.Unknown;

    /// <summary>
    /// The timeout doubles with each retransmission, so the timeouts before the last one sum up to its growth. The elapsed part of the
    /// last timeout is added to that; but if the device's queue is full, the retransmissions do not leave, and the data was last sent
    /// when it was first sent. Without timestamps the backoff outlives a recovery, hence the smaller of the two counts.
    /// </summary>
    private static uint Retransmission(in SocketFacts facts)
    {
        uint rto = Math.Min(facts.RtoMs, LongestMs);
        int doubled = Math.Min((int)facts.Retransmits, facts.Backoff);
        uint grownBy = rto - (doubled < 32 ? rto >> doubled : 0);
        return grownBy + Math.Min(facts.LastDataSentMs, SubtractSaturating(rto, facts.ExpiresMs));
    }

    /// <summary>
    /// The peer's window is full, and probes ask whether it has opened. A living peer answers every probe, so unanswered probes are the
    /// evidence; a running timer proves nothing. The timeout that the kernel reports does not grow here, but after each probe the timer
    /// waits twice as long as before, up to the longest timeout. The kernel does not report the longest timeout either, but it is at
    /// least a second, and at least the timer's remaining wait. The timer may also wait for a shorter time: 500 ms if the device's queue
    /// is full, or only until TCP_USER_TIMEOUT expires. Therefore the first step of the current wait does not count, and the result is at
    /// most the time since the peer was heard from, minus one full wait. Earlier waits count only if each probe doubled them.
    /// </summary>
    private static uint WindowProbe(in SocketFacts facts)
    {
        if (facts.Probes == 0)
        {
            return 0;
        }

        uint longest = Math.Max(MinLongestMs, facts.ExpiresMs);
        uint wait = Math.Min(Doubled(facts.RtoMs, facts.Backoff), longest);
        bool mayBeRetry = wait > RetryMs && facts.ExpiresMs <= RetryMs;
        uint passed = mayBeRetry ? 0 : SubtractSaturating(SubtractSaturating(wait, facts.RtoMs), facts.ExpiresMs);
        uint before = 0;
        for (int probe = 1; probe < facts.Probes && facts.Probes <= facts.Backoff; probe++)
        {
            before += Math.Min(Doubled(facts.RtoMs, facts.Backoff - probe), longest);
        }

        uint longestWait = Doubled(Math.Max(facts.RtoMs, ShortestTimeoutMs), facts.Backoff);
        return Math.Min(Math.Max(passed, before), SubtractSaturating(facts.LastHeardMs, longestWait));
    }

    private static uint Doubled(uint ms, int times) => (uint)Math.Min((ulong)ms << Math.Min(times, 31), LongestMs);

    private static uint SubtractSaturating(uint a, uint b) => a > b ? a - b : 0;
}
