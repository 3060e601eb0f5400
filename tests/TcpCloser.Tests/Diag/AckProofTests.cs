using System.Runtime.InteropServices;

namespace TcpCloser.Tests.Diag;

/// <summary>How long data has provably been unacknowledged: never longer than it really has.</summary>
public sealed class AckProofTests
{
    private const byte Retransmission = 1;
    private const byte Keepalive = 2;
    private const byte WindowProbe = 4;

    private static readonly DumpedSocket s_quiet = new()
    {
        LastDataRecv = 1_000_000,
        LastAckRecv = 1_000_000,
        LastDataSent = 1_000_000,
        Unacked = 0,
        NotSent = 0,
        WriteQueue = 0,
        Retransmits = 0,
        Rto = 200_000,
        Timer = 0,
        Expires = 0,
    };

    private static readonly DumpedSocket s_leftItsLan =
        Retransmitting(43, 4, 3_264_000, 3_264) with { Timeouts = 43, TimeoutSeries = 1, TimeoutSeriesMs = 119_910 };

    /// <summary>The timeout is 200 ms at first, and doubles with each retransmission.</summary>
    [Theory]
    [InlineData(0, 200, 200, 0)] // sent just now
    [InlineData(0, 200, 150, 50)]
    [InlineData(1, 400, 400, 200)] // the first timeout is over
    [InlineData(1, 400, 100, 500)]
    [InlineData(2, 800, 800, 600)] // 200 + 400
    [InlineData(3, 1_600, 0, 3_000)] // 200 + 400 + 800 + 1600
    [InlineData(0, 200, 201, 0)] // the timer is longer than the timeout
    public void Proof_DataRetransmitted_IsTheSumOfTheTimeouts(byte retransmits, uint rtoMs, uint expires, uint proven) =>
        Assert.Equal(proven, OutstandingMs(Retransmitting(retransmits, retransmits, rtoMs * 1000, expires)));

    /// <summary>
    /// Without timestamps the backoff outlives a recovery, and a thin stream's linear timeouts do not double: only the smaller count is
    /// certain.
    /// </summary>
    [Theory]
    [Rows("3 | 0 | 1600 | 0", "0 | 3 | 1600 | 0", "3 | 1 | 1600 | 800", "1 | 3 | 1600 | 800")]
    public void Proof_RetransmitsAndBackoffDiffer_UsesTheSmallerCount(byte retransmits, byte backoff, uint rtoMs, uint proven) =>
        Assert.Equal(proven, OutstandingMs(Retransmitting(retransmits, backoff, rtoMs * 1000, rtoMs)));

    /// <summary>While the device's queue is full, a retransmission is not sent, and its timer does not show when data was sent.</summary>
    [Theory]
    [Rows("30 | 30", "100 | 100", "1000 | 150")]
    public void Proof_CurrentTimeout_IsLimitedByTheTimeSinceDataWasSent(uint lastDataSent, uint proven) =>
        Assert.Equal(proven, OutstandingMs(Retransmitting(0, 0, 200_000, 50) with { LastDataSent = lastDataSent }));

    [Theory]
    [InlineData(10, 120_000_000, 119_883)] // 120 s less the first timeout of 117 ms
    [Rows("10 | 4000000000 | 119883", "40 | 120000000 | 120000")]
    public void Proof_TimeoutsAtTheirMaximum_EndsAtTwoMinutes(byte retransmits, uint rtoMicroseconds, uint proven) =>
        Assert.Equal(proven, OutstandingMs(Retransmitting(retransmits, retransmits, rtoMicroseconds, 120_000)));

    /// <summary>While the peer's window is closed the timeout shown stays the same, and each window probe waits twice as long.</summary>
    [Theory]
    [InlineData(0, 0, 150, 0)] // no probe is unanswered
    [InlineData(0, 6, 300, 0)] // the peer has answered the last one, however long ago
    [InlineData(1, 1, 400, 0)] // the first probe was sent just now; how long it waited is uncertain
    [InlineData(1, 1, 100, 100)] // 300, less the first wait
    [InlineData(2, 2, 800, 400)] // the wait before it
    [InlineData(2, 2, 501, 400)]
    [InlineData(3, 3, 1_600, 1_200)] // 400 + 800
    [InlineData(3, 1, 400, 0)] // not every probe doubled the wait, because the device's queue was full
    [InlineData(1, 3, 1_600, 0)]
    [InlineData(1, 3, 600, 200)] // the longest timeout may be a second
    [InlineData(1, 3, 1_100, 0)]
    [InlineData(5, 5, 600, 3_200)] // 400 + 800, and a second twice
    [InlineData(5, 5, 2_500, 5_300)] // 400 + 800 + 1600, and once as long as the timer still waits
    [InlineData(1, 3, 500, 0)] // may be the half second after which a full queue is retried
    [InlineData(12, 12, 120_000, 444_400)] // the last wait has just begun; before it 120,000 twice, 102,400, 51,200 … 400
    public void Proof_WindowProbesUnanswered_IsTheSumOfTheCertainWaits(byte probes, byte backoff, uint expires, uint proven) =>
        Assert.Equal(proven, OutstandingMs(Probing(probes, backoff, expires)));

    /// <summary>TCP_USER_TIMEOUT, which is not shown, shortens the wait of the timer: the time since the last answer is the limit.</summary>
    [Theory]
    [Rows("13000 | 200", "12800 | 0", "5100 | 0")]
    public void Proof_WindowProbesUnanswered_IsLimitedByTheTimeSinceTheLastAnswer(uint lastAck, uint proven) =>
        Assert.Equal(proven, OutstandingMs(Probing(5, 6, 600) with { LastAckRecv = lastAck }));

    /// <summary>
    /// Linux 6.18 shows this two minutes after data was sent to a host that has left its LAN: ICMP unreachables keep the backoff at 4.
    /// </summary>
    [Fact]
    public void KernelTime_BackoffUndoneByUnreachables_IsUsed() => Assert.Equal(119_910u, OutstandingMs(s_leftItsLan));

    /// <summary>An earlier series of timeouts, even in the handshake, leaves its time in the kernel's sum.</summary>
    [Theory]
    [InlineData(1, 299, 43)] // the 8-bit count wrapped around to 0
    [Rows("2 | 43 | 43", "2 | 44 | 43", "1 | 44 | 43", "1 | 43 | 42", "0 | 43 | 43", "257 | 43 | 43")]
    public void KernelTime_EarlierTimeouts_IsNotUsed(ushort series, ushort timeouts, byte retransmits) =>
        Assert.Equal(3_060u, OutstandingMs(s_leftItsLan with { TimeoutSeries = series, Timeouts = timeouts, Retransmits = retransmits }));

    /// <summary>Without SACK the kernel's time keeps running after the last acknowledgement, until more is sent and acknowledged.</summary>
    [Fact]
    public void KernelTime_NothingRetransmitted_IsNotUsed()
    {
        Assert.Equal(0u, OutstandingMs(s_leftItsLan with { Retransmits = 0, Timeouts = 0 }));
        Assert.Equal(0u, OutstandingMs(s_leftItsLan with { Unacked = 0 }));
        Assert.Equal(0u, OutstandingMs(s_leftItsLan with { Timer = Keepalive, Unacked = 0 }));
    }

    /// <summary>Before Linux 6.7 tcp_info ends before this field.</summary>
    [Theory]
    [Values(232, 240, 242, 244, 247)]
    public void KernelTime_TcpInfoTooShort_IsNotUsed(int length) => Assert.Equal(3_060u, OutstandingMs(s_leftItsLan with { InfoLength = length }));

    /// <summary>The backoff can prove more, because it includes the first timeout.</summary>
    [Fact]
    public void KernelTime_LessThanTheBackoffProves_IsNotUsed() => Assert.Equal(6_324u, OutstandingMs(
        Retransmitting(5, 5, 6_528_000, 6_528) with { Timeouts = 5, TimeoutSeries = 1, TimeoutSeriesMs = 6_120 }));

    /// <summary>The kernel's time is not limited by the longest timeout, so silence does not stand in for the rest.</summary>
    [Theory]
    [Rows("119910 | 119910 | true", "119910 | 119911 | false", "200000 | 300000 | false", "600000 | 600000 | true")]
    public void Holds_KernelTimeKnown_RequiresTheWholeTime(uint kernelMs, uint ms, bool holds) =>
        Assert.Equal(holds, Holds(s_leftItsLan with { TimeoutSeriesMs = kernelMs }, ms));

    [Theory]
    [Rows("0 | 0", "1 | 0", "2 | 1000", "9 | 8000")]
    public void Proof_KeepaliveProbesUnanswered_IsASecondForEachAfterTheFirst(byte probes, uint proven) =>
        Assert.Equal(proven, OutstandingMs(s_quiet with { Timer = Keepalive, Probes = probes }));

    /// <summary>An old clock proves nothing: a connection that was quiet for an hour may have sent data just now.</summary>
    [Fact]
    public void Proof_NothingOutstanding_IsZero()
    {
        DumpedSocket grown = s_quiet with { Retransmits = 5, Backoff = 5, Rto = 6_400_000, Probes = 5 };
        DumpedSocket probing = grown with { Timer = WindowProbe, NotSent = 1, WriteQueue = 1 };
        Assert.All(
            [
                grown with { Timer = 0, Unacked = 1, NotSent = 1, WriteQueue = 1 }, grown with { Timer = 3, Unacked = 1, NotSent = 1, WriteQueue = 1 },
                grown with { Timer = Retransmission }, grown with { Timer = Retransmission, Unacked = uint.MaxValue },
                grown with { Timer = WindowProbe }, probing with { NotSent = uint.MaxValue }, probing with { WriteQueue = 0 },
                probing with { Unacked = 1 }, probing with { Probes = 0 }, grown with { Timer = Keepalive, Probes = 0 },
            ],
            static (DumpedSocket socket) =>
            {
                Assert.Equal(0u, OutstandingMs(socket));
                Assert.False(Holds(socket, 1));
            });
    }

    [Theory]
    [Rows("600 | 1000000 | 1000000 | true", "601 | 1000000 | 1000000 | false", "600 | 600 | 600 | true", "600 | 599 | 600 | false",
        "600 | 600 | 599 | false")]
    public void Holds_ProofOrSilenceTooShort_IsFalse(uint ms, uint lastData, uint lastAck, bool holds) =>
        Assert.Equal(holds, Holds(Retransmitting(2, 2, 800_000, 800) with { LastDataRecv = lastData, LastAckRecv = lastAck }, ms));

    /// <summary>Beyond two minutes the timers prove nothing more, and silence decides.</summary>
    [Theory]
    [Rows("120000 | true", "1000000 | true", "1000001 | false")]
    public void Holds_TimeBeyondTwoMinutes_IsDecidedBySilence(uint ms, bool holds) =>
        Assert.Equal(holds, Holds(Retransmitting(40, 40, 120_000_000, 120_000), ms));

    private static DumpedSocket Retransmitting(byte retransmits, byte backoff, uint rtoMicroseconds, uint expires) => s_quiet with
    {
        Timer = Retransmission,
        Unacked = 1,
        Retransmits = retransmits,
        Backoff = backoff,
        Rto = rtoMicroseconds,
        Expires = expires,
    };

    private static DumpedSocket Probing(byte probes, byte backoff, uint expires) =>
        s_quiet with { Timer = WindowProbe, NotSent = 1, WriteQueue = 1, Probes = probes, Backoff = backoff, Expires = expires };

    private static SocketFacts Facts(DumpedSocket socket) => new(in MemoryMarshal.AsRef<InetDiagMsg>(socket.Body()), socket.Info());

    private static uint OutstandingMs(DumpedSocket socket) => AckProof.OutstandingMs(Facts(socket));

    private static bool Holds(DumpedSocket socket, uint ms) => AckProof.Holds(Facts(socket), ms);
}
