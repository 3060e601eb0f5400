namespace TcpCloser.Diag;

/// <summary>
/// How long ago at least something was sent that nobody acknowledged, by the kernel's retransmissions and their back-off. An old
/// clock proves nothing: who was quiet for an hour and has just sent shows one. Every bound here is at most the true time.
/// </summary>
internal static class AckProof
{
    /// <summary>The kernel's longest timeout (TCP_RTO_MAX), at which the bounds end.</summary>
    public const uint LongestMs = 120_000;

    private const byte Retransmitting = 1;
    private const byte WindowProbing = 4;

    /// <summary>The kernel sends the probes of this program, and those of the application, no closer than this.</summary>
    private const uint ShortestProbeIntervalMs = 1_000;

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

    /// <summary>Here the timeout that is shown does not grow; each probe waited twice as long as the one before.</summary>
    private static uint WindowProbe(in SocketFacts facts)
    {
        uint sum = Less(Doubled(facts.RtoMs, facts.Backoff), facts.ExpiresMs);
        for (int probe = 1; probe < facts.Probes && probe <= facts.Backoff; probe++)
        {
            sum += Doubled(facts.RtoMs, facts.Backoff - probe);
        }

        return sum;
    }

    private static uint Doubled(uint ms, int times) => (uint)Math.Min((ulong)ms << Math.Min(times, 31), LongestMs);

    private static uint Less(uint a, uint b) => a > b ? a - b : 0;
}
