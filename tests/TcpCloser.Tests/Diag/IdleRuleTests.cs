using System.Runtime.InteropServices;

namespace TcpCloser.Tests.Diag;

/// <summary>Which connections are idle, on each side of each limit.</summary>
public sealed class IdleRuleTests
{
    /// <summary>Sent 60 ms ago: 40 of the timeout of 100 ms are left.</summary>
    private static readonly DumpedSocket s_unacked =
        new() { LastDataSent = 5_000, Timer = 1, Expires = 40, Rto = 100_000, Retransmits = 0, Backoff = 0 };

    [Theory]
    [Rows("-t 60 | 59 | Busy", "-t 60 | 60 | Pending", "-t 60 | 61 | Pending", "-t 60 | 0 | Busy", "-t 60 | 4294967294 | Pending",
        "-t 4294967294 | 4294967293 | Busy", "-t 4294967294 | 4294967294 | Pending", "-t 49d | 4233599999 | Busy",
        "-t 49d | 4233600000 | Pending", "--last-recv-limit 60 | 0 | Pending", "--last-recv-limit 60 | 59 | Pending",
        "--last-recv-limit 60 | 60 | BeyondLimit", "--last-recv-limit 60 | 4294967294 | BeyondLimit",
        "-t 50 --last-recv-limit 60 | 49 | Busy", "-t 50 --last-recv-limit 60 | 50 | Pending", "-t 50 --last-recv-limit 60 | 59 | Pending",
        "-t 50 --last-recv-limit 60 | 60 | BeyondLimit", "-t 0 | 0 | Pending", "-t 0 --last-recv-limit 0 | 4294967294 | Pending")]
    public void Judge_AgeOnEachSideOfALimit_DecidesTheOutcome(string words, uint age, string outcome)
    {
        Connection connection = Judge(words, new DumpedSocket { LastDataRecv = age });
        Assert.Equal(outcome, connection.Outcome.ToString());
        Assert.Equal(age, connection.IdleMs);
    }

    [Theory]
    [Values(0, 52, 59)]
    public void Judge_TcpInfoEndsBeforeTheClock_IsNoClock(int infoLength)
    {
        DumpedSocket socket = new() { InfoLength = infoLength, LastDataRecv = 4_000_000_000 };
        Assert.Equal(Outcome.NoClock, Judge("-t 1", socket).Outcome);
        Assert.Equal(Outcome.NoClock, Judge("--last-recv-limit 1", socket).Outcome);
        Connection connection = Judge("", socket, TcpState.TimeWait);
        Assert.Equal((Outcome.Pending, Connection.UnknownAge), (connection.Outcome, connection.IdleMs));
    }

    [Fact]
    public void Judge_TcpInfoEndsAfterTheClock_IsIdle() =>
        Assert.Equal(Outcome.Pending, Judge("-t 60", new DumpedSocket { InfoLength = 60, LastDataRecv = 60 }).Outcome);

    [Theory]
    [Rows("-t 60 | 100 | 5 | Pending", "-t 60 --idle-by recv | 100 | 5 | Pending", "-t 60 --idle-by send | 100 | 5 | Busy",
        "-t 60 --idle-by send | 5 | 60 | Pending", "-t 60 --idle-by both | 60 | 59 | Busy", "-t 60 --idle-by both | 59 | 60 | Busy",
        "-t 60 --idle-by both | 60 | 61 | Pending", "--idle-by send --last-recv-limit 60 | 5 | 60 | BeyondLimit")]
    public void Judge_IdleByDirection_UsesTheClockOfThatDirection(string words, uint received, uint sent, string outcome) =>
        Assert.Equal(outcome, Judge(words, new DumpedSocket { LastDataRecv = received, LastDataSent = sent }).Outcome.ToString());

    /// <summary>AckProofTests cover the proof itself; here it is one condition among others.</summary>
    [Theory]
    [Rows("1 | 60 | 60 | Pending", "1 | 59 | 60 | Unproved", "1 | 60 | 59 | Unproved", "0 | 1000 | 1000 | Unproved")]
    public void Judge_NoAckFor_RequiresTheProof(uint unacked, uint lastAck, uint lastData, string outcome)
    {
        DumpedSocket socket = s_unacked with { LastDataRecv = lastData, LastAckRecv = lastAck, Unacked = unacked };
        Assert.Equal(outcome, Judge("--no-ack-for 60", socket).Outcome.ToString());
        Assert.Equal(Outcome.Busy, Judge("-t 1001 --no-ack-for 60", socket).Outcome);
    }

    /// <summary>Both options together mean "or": a connection that is proven dead is not probed, and any other is.</summary>
    [Theory]
    [Rows("1 | 60 | true", "1 | 59 | false", "0 | 1000 | false")]
    public void Judge_NoAckWithProbe_KeepsBothAndMarksTheProven(uint unacked, uint lastAck, bool isProven)
    {
        DumpedSocket socket = s_unacked with { LastDataRecv = 1_000, LastAckRecv = lastAck, Unacked = unacked };
        Connection connection = Judge("--no-ack-for 60 --probe 3s", socket);
        Assert.Equal((Outcome.Pending, isProven), (connection.Outcome, connection.IsProvenDead));
        Assert.False(Judge("--no-ack-for 60", socket).IsProvenDead);
    }

    /// <summary>
    /// The peer's FIN carries no data but shows that the peer lives: after it, the last acknowledgement counts as received data.
    /// </summary>
    [Theory]
    [Rows("CloseWait | Busy", "LastAck | Busy", "Closing | Busy", "Established | Pending", "FinWait1 | Pending", "FinWait2 | Pending",
        "TimeWait | Pending")]
    public void Judge_PeerSentItsFin_CountsTheLastAcknowledgement(byte state, string outcome)
    {
        DumpedSocket socket = new() { LastDataRecv = 100, LastAckRecv = 59, LastDataSent = 100 };
        Assert.Equal(outcome, Judge("-t 60", socket, state).Outcome.ToString());
        Assert.Equal(outcome, Judge("-t 60 --idle-by both", socket, state).Outcome.ToString());
        Assert.Equal(Outcome.Pending, Judge("-t 60 --idle-by send", socket, state).Outcome);
        Assert.Equal(Outcome.Pending, Judge("-t 60", socket with { LastAckRecv = 60 }, state).Outcome);
        Assert.Equal(Outcome.Busy, Judge("-t 60", socket with { LastDataRecv = 59, LastAckRecv = 100 }, state).Outcome);
    }

    [Theory]
    [Rows("SynSent | NoClock", "Listen | NoClock", "Established | Pending", "CloseWait | Pending", "FinWait1 | Pending",
        "FinWait2 | Pending", "LastAck | Pending", "Closing | Pending")]
    public void Judge_StateWhoseClocksWereNeverSet_IsNoClock(byte state, string outcome)
    {
        DumpedSocket socket = new() { LastDataRecv = 4_000_000_000 };
        Assert.Equal(outcome, Judge("-t 60", socket, state).Outcome.ToString());
        Assert.Equal(Outcome.Pending, Judge("", socket, state).Outcome);
    }

    private static Connection Judge(string words, DumpedSocket socket, byte state = TcpState.Established)
    {
        var facts = new SocketFacts(in MemoryMarshal.AsRef<InetDiagMsg>(socket.Body()), socket.Info());
        Connection connection = Connections.Of("10.0.0.1:22 10.0.0.2:5", state);
        connection.IdleMs = 7;
        connection.Outcome = Outcome.Failed;
        new IdleRule(Words.Rule(["-s", "22", .. words.Split(' ', StringSplitOptions.RemoveEmptyEntries)])).Judge(ref connection, in facts);
        return connection;
    }
}
