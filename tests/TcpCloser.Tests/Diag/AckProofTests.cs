using System.Runtime.InteropServices;
using TcpCloser.Diag;
using TcpCloser.Interop;
using TcpCloser.Tests.Support;

namespace TcpCloser.Tests.Diag;

/// <summary>Since when something is provably unacknowledged: never longer than it is true.</summary>
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
        Probes = 0,
        Backoff = 0,
        Rto = 200_000,
        Timer = 0,
        Expires = 0,
    };

    /// <summary>The timeout is 200 ms at first, and doubles with each retransmission.</summary>
    [Theory]
    [InlineData(0, 200, 200, 0)] // sent this moment
    [InlineData(0, 200, 150, 50)]
    [InlineData(1, 400, 400, 200)] // the first timeout is over
    [InlineData(1, 400, 100, 500)]
    [InlineData(2, 800, 800, 600)] // 200 + 400
    [InlineData(3, 1_600, 0, 3_000)] // 200 + 400 + 800 + 1600
    public void ByRetransmissions(byte retransmits, uint rtoMs, uint expires, uint proved) => Assert.Equal(proved, OutstandingMs(
        s_quiet with { Timer = Retransmission, Unacked = 1, Retransmits = retransmits, Backoff = retransmits, Rto = rtoMs * 1000, Expires = expires }));

    /// <summary>Without timestamps the back-off outlives a recovery, and a thin stream's linear timeouts do not double: the smaller count is sure.</summary>
    [Theory]
    [InlineData(3, 0, 1_600, 0)]
    [InlineData(0, 3, 1_600, 0)]
    [InlineData(3, 1, 1_600, 800)]
    [InlineData(1, 3, 1_600, 800)]
    public void TheSmallerCountIsSure(byte retransmits, byte backoff, uint rtoMs, uint proved) => Assert.Equal(proved, OutstandingMs(
        s_quiet with { Timer = Retransmission, Unacked = 1, Retransmits = retransmits, Backoff = backoff, Rto = rtoMs * 1000, Expires = rtoMs }));

    /// <summary>Where the device's queue is full a retransmission does not leave, and its timer says nothing of when data was sent.</summary>
    [Theory]
    [InlineData(30, 30)]
    [InlineData(100, 100)]
    [InlineData(1_000, 150)]
    public void WhatPassedOfTheLastTimeoutIsNoMoreThanSinceDataWasSent(uint lastDataSent, uint proved) => Assert.Equal(proved, OutstandingMs(
        s_quiet with { Timer = Retransmission, Unacked = 1, LastDataSent = lastDataSent, Expires = 50 }));

    [Fact]
    public void ATimerBeyondItsTimeoutProvesNothing() =>
        Assert.Equal(0u, OutstandingMs(s_quiet with { Timer = Retransmission, Unacked = 1, Expires = 201 }));

    [Theory]
    [InlineData(10, 120_000_000, 120_000, 119_883)] // 120 s less the first timeout of 117 ms
    [InlineData(10, 4_000_000_000, 120_000, 119_883)]
    [InlineData(40, 120_000_000, 120_000, 120_000)]
    public void TheBoundEndsAtTwoMinutes(byte retransmits, uint rtoMicroseconds, uint expires, uint proved) => Assert.Equal(proved, OutstandingMs(
        s_quiet with { Timer = Retransmission, Unacked = 1, Retransmits = retransmits, Backoff = retransmits, Rto = rtoMicroseconds, Expires = expires }));

    /// <summary>Nothing fits into the peer's window: the timeout that is shown stays, and each probe waits twice as long.</summary>
    [Theory]
    [InlineData(0, 0, 150, 0)] // no probe is unanswered
    [InlineData(0, 6, 300, 0)] // a peer that lives has answered the last one, however long ago
    [InlineData(1, 1, 400, 0)] // the first probe left this moment; how long it waited is not sure
    [InlineData(1, 1, 100, 100)] // 300, less the first wait
    [InlineData(2, 2, 800, 400)] // the wait before
    [InlineData(2, 2, 501, 400)]
    [InlineData(3, 3, 1_600, 1_200)] // 400 + 800
    [InlineData(3, 1, 400, 0)] // not each probe has doubled the wait, because the device's queue was full
    [InlineData(1, 3, 1_600, 0)]
    [InlineData(1, 3, 600, 800)]
    [InlineData(1, 3, 500, 0)] // may be the half second after which a full queue is tried again
    [InlineData(12, 12, 120_000, 444_400)] // the last has just begun; before it 120,000 twice, 102,400, 51,200 … 400
    public void ByWindowProbes(byte probes, byte backoff, uint expires, uint proved) => Assert.Equal(proved, OutstandingMs(
        s_quiet with { Timer = WindowProbe, NotSent = 1, WriteQueue = 1, Probes = probes, Backoff = backoff, Expires = expires }));

    /// <summary>TCP_USER_TIMEOUT, which is not shown, makes the timer wait less than it seems: the last answer bounds what has passed.</summary>
    [Theory]
    [InlineData(13_000, 200)]
    [InlineData(12_800, 0)]
    [InlineData(5_100, 0)]
    public void ByWindowProbesNoLongerThanSinceTheLastAnswer(uint lastAck, uint proved) => Assert.Equal(proved, OutstandingMs(
        s_quiet with { Timer = WindowProbe, NotSent = 1, WriteQueue = 1, Probes = 1, Backoff = 6, Expires = 600, LastAckRecv = lastAck }));

    [Theory]
    [InlineData(0, 0)]
    [InlineData(1, 0)]
    [InlineData(2, 1_000)]
    [InlineData(9, 8_000)]
    public void ByKeepaliveProbes(byte probes, uint proved) => Assert.Equal(proved, OutstandingMs(s_quiet with { Timer = Keepalive, Probes = probes }));

    /// <summary>An old clock proves nothing: who was quiet for an hour may have just sent.</summary>
    [Fact]
    public void WhatIsNotOutstandingProvesNothing()
    {
        DumpedSocket grown = s_quiet with { Retransmits = 5, Backoff = 5, Rto = 6_400_000, Probes = 5 };
        foreach (DumpedSocket socket in new[]
        {
            grown with { Timer = 0, Unacked = 1, NotSent = 1, WriteQueue = 1 },
            grown with { Timer = 3, Unacked = 1, NotSent = 1, WriteQueue = 1 },
            grown with { Timer = Retransmission },
            grown with { Timer = Retransmission, Unacked = uint.MaxValue },
            grown with { Timer = WindowProbe },
            grown with { Timer = WindowProbe, NotSent = uint.MaxValue, WriteQueue = 1 },
            grown with { Timer = WindowProbe, NotSent = 1, WriteQueue = 0 },
            grown with { Timer = WindowProbe, NotSent = 1, WriteQueue = 1, Unacked = 1 },
            grown with { Timer = WindowProbe, NotSent = 1, WriteQueue = 1, Probes = 0 },
            grown with { Timer = Keepalive, Probes = 0 },
        })
        {
            Assert.Equal(0u, OutstandingMs(socket));
            Assert.False(Holds(socket, 1));
        }
    }

    [Theory]
    [InlineData(600, 1_000_000, 1_000_000, true)]
    [InlineData(601, 1_000_000, 1_000_000, false)]
    [InlineData(600, 600, 600, true)]
    [InlineData(600, 599, 600, false)]
    [InlineData(600, 600, 599, false)]
    public void BothHaveToBeThere(uint ms, uint lastData, uint lastAck, bool holds) => Assert.Equal(holds, Holds(
        s_quiet with
        {
            Timer = Retransmission,
            Unacked = 1,
            Retransmits = 2,
            Backoff = 2,
            Rto = 800_000,
            Expires = 800,
            LastDataRecv = lastData,
            LastAckRecv = lastAck,
        }, ms));

    /// <summary>Beyond two minutes nothing can be proved by the timers, and silence has to do.</summary>
    [Theory]
    [InlineData(120_000, true)]
    [InlineData(1_000_000, true)]
    [InlineData(1_000_001, false)]
    public void BeyondTwoMinutesTheSilenceDecides(uint ms, bool holds) => Assert.Equal(holds, Holds(
        s_quiet with { Timer = Retransmission, Unacked = 1, Retransmits = 40, Backoff = 40, Rto = 120_000_000, Expires = 120_000 }, ms));

    private static uint OutstandingMs(DumpedSocket socket)
    {
        var facts = new SocketFacts(in MemoryMarshal.AsRef<InetDiagMsg>(socket.Body()), socket.Info());
        return AckProof.OutstandingMs(in facts);
    }

    private static bool Holds(DumpedSocket socket, uint ms)
    {
        var facts = new SocketFacts(in MemoryMarshal.AsRef<InetDiagMsg>(socket.Body()), socket.Info());
        return AckProof.Holds(in facts, ms);
    }
}
