namespace TcpCloser.Diag;

/// <summary>
/// How long ago at least something was sent that nobody acknowledged, by the kernel's retransmissions and their back-off. An old
/// clock alone proves nothing: a connection that was quiet for an hour and has just sent shows one, too. Every bound here is at most the true time.
/// </summary>
internal static class AckProof
{
    /// <summary>The kernel's longest timeout (TCP_RTO_MAX), at which the bounds end.</summary>
    public const uint LongestMs = 120_000;

    private const byte Retransmitting = 1;
    private const byte WindowProbing = 4;

    /// <summary>The kernel sends the probes of this program, and those of the application, no closer than this.</summary>
    private const uint ShortestProbeIntervalMs = 1_000;

    /// <summary>After how long the kernel tries again what a full queue refused (TCP_RESOURCE_PROBE_INTERVAL).</summary>
    private const uint RetryMs = 500;

    /// <summary>The first wait of window probes is no shorter (TCP_RTO_MIN).</summary>
    private const uint ShortestTimeoutMs = 200;

    /// <summary>Whether it is proved that nobody has acknowledged for that long.</summary>
    public static bool Holds(in SocketFacts facts, uint ms) =>
        facts.LastHeardMs >= ms && OutstandingMs(in facts) >= Math.Min(ms, LongestMs);

    /// <summary>Since when at least something is outstanding, in milliseconds; 0: nothing is, or it is not proved.</summary>
    public static uint OutstandingMs(in SocketFacts facts) => facts.Timer switch
    {
        Retransmitting when facts.Unacked is > 0 and not SocketFacts.Unknown => Retransmission(in facts),
        WindowProbing when facts.Unacked == 0 && facts.NotSent is > 0 and not SocketFacts.Unknown && facts.WriteQueue > 0 => WindowProbe(in facts),
        SocketFacts.KeepaliveTimer when facts.Probes > 0 => (facts.Probes - 1u) * ShortestProbeIntervalMs,
        _ => 0,
    };

    /// <summary>
    /// The timeout doubles with each retransmission, so those before the last one sum up to what it has grown by. Then comes what has
    /// passed of the last one; but where the device's queue is full the retransmissions do not leave, and the data was last sent
    /// when it was first sent. Without timestamps the back-off outlives a recovery, hence the smaller of the two counts.
    /// </summary>
    private static uint Retransmission(in SocketFacts facts)
    {
        uint rto = Math.Min(facts.RtoMs, LongestMs);
        int doubled = Math.Min((int)facts.Retransmits, facts.Backoff);
        uint grownBy = rto - (doubled < 32 ? rto >> doubled : 0);
        return grownBy + Math.Min(facts.LastDataSentMs, Less(rto, facts.ExpiresMs));
    }

    /// <summary>
    /// Nothing fits into the peer's window, and probes ask whether it has opened. A living peer answers each of them, so that none stays
    /// unanswered; that the timer runs proves nothing. The timeout that the kernel shows does not grow here, but after each probe the timer
    /// waits twice as long as before. It may also wait less, which is not shown: 500 ms where the device's queue is full, and only until
    /// TCP_USER_TIMEOUT is over. Therefore the wait under way counts without its first step, and at most the time since the peer was
    /// heard from without a whole wait. The waits before it count where each probe doubled them.
    /// </summary>
    private static uint WindowProbe(in SocketFacts facts)
    {
        if (facts.Probes == 0)
        {
            return 0;
        }

        uint wait = Doubled(facts.RtoMs, facts.Backoff);
        bool mayBeRetry = wait > RetryMs && facts.ExpiresMs <= RetryMs;
        uint passed = mayBeRetry ? 0 : Less(Less(wait, facts.RtoMs), facts.ExpiresMs);
        uint before = 0;
        for (int probe = 1; probe < facts.Probes && facts.Probes <= facts.Backoff; probe++)
        {
            before += Doubled(facts.RtoMs, facts.Backoff - probe);
        }

        uint longestWait = Doubled(Math.Max(facts.RtoMs, ShortestTimeoutMs), facts.Backoff);
        return Math.Min(Math.Max(passed, before), Less(facts.LastHeardMs, longestWait));
    }

    private static uint Doubled(uint ms, int times) => (uint)Math.Min((ulong)ms << Math.Min(times, 31), LongestMs);

    private static uint Less(uint a, uint b) => a > b ? a - b : 0;
}
