using System.Runtime.InteropServices;

namespace TcpCloser.Tests.Diag;

/// <summary>Which connections are idle, on each side of each limit.</summary>
public sealed class IdleRuleTests
{
    [Theory]
    [Rows("-t 60 | 59 | Busy", "-t 60 | 60 | Pending", "-t 60 | 61 | Pending", "-t 60 | 0 | Busy", "-t 60 | 4294967294 | Pending",
        "-t 4294967294 | 4294967293 | Busy", "-t 4294967294 | 4294967294 | Pending", "-t 49d | 4233599999 | Busy",
        "-t 49d | 4233600000 | Pending", "--last-recv-limit 60 | 0 | Pending", "--last-recv-limit 60 | 59 | Pending",
        "--last-recv-limit 60 | 60 | BeyondLimit", "--last-recv-limit 60 | 4294967294 | BeyondLimit",
        "-t 50 --last-recv-limit 60 | 49 | Busy", "-t 50 --last-recv-limit 60 | 50 | Pending", "-t 50 --last-recv-limit 60 | 59 | Pending",
        "-t 50 --last-recv-limit 60 | 60 | BeyondLimit", "-t 0 | 0 | Pending", "-t 0 --last-recv-limit 0 | 4294967294 | Pending")]
    public void Judge_AgeOnEachSideOfALimit_DecidesTheOutcome(string words, uint age, string outcome)
    {
        Connection connection = Judge(words, new DumpedSocket { LastDataRecv = age }.Info(), TcpState.Established);
        Assert.Equal(outcome, connection.Outcome.ToString());
        Assert.Equal(age, connection.IdleMs);
    }

    [Theory]
    [Values(0, 52, 59)]
    public void Judge_TcpInfoEndsBeforeTheClock_IsNoClock(int infoLength)
    {
        byte[] info = new DumpedSocket { InfoLength = infoLength, LastDataRecv = 4_000_000_000 }.Info();
        Assert.Equal(Outcome.NoClock, Judge("-t 1", info, TcpState.Established).Outcome);
        Assert.Equal(Outcome.NoClock, Judge("--last-recv-limit 1", info, TcpState.Established).Outcome);
        Connection connection = Judge("", info, TcpState.TimeWait);
        Assert.Equal(Outcome.Pending, connection.Outcome);
        Assert.Equal(Connection.UnknownAge, connection.IdleMs);
    }

    [Fact]
    public void Judge_TcpInfoEndsAfterTheClock_IsIdle() =>
        Assert.Equal(Outcome.Pending, Judge("-t 60", new DumpedSocket { InfoLength = 60, LastDataRecv = 60 }.Info(), 1).Outcome);

    [Theory]
    [Rows("-t 60 | 100 | 5 | Pending", "-t 60 --idle-by recv | 100 | 5 | Pending", "-t 60 --idle-by send | 100 | 5 | Busy",
        "-t 60 --idle-by send | 5 | 60 | Pending", "-t 60 --idle-by both | 60 | 59 | Busy", "-t 60 --idle-by both | 59 | 60 | Busy",
        "-t 60 --idle-by both | 60 | 61 | Pending", "--idle-by send --last-recv-limit 60 | 5 | 60 | BeyondLimit")]
    public void Judge_IdleByDirection_UsesTheClockOfThatDirection(string words, uint received, uint sent, string outcome)
    {
        byte[] info = new DumpedSocket { LastDataRecv = received }.Info();
        BitConverter.TryWriteBytes(info.AsSpan(44), sent); // tcpi_last_data_sent
        Assert.Equal(outcome, Judge(words, info, TcpState.Established).Outcome.ToString());
    }

    /// <summary>AckProofTests cover the proof itself; here it is one condition among others.</summary>
    [Theory]
    [Rows("1 | 60 | 60 | Pending", "1 | 59 | 60 | Unproved", "1 | 60 | 59 | Unproved", "0 | 1000 | 1000 | Unproved")]
    public void Judge_NoAckFor_RequiresTheProof(uint unacked, uint lastAck, uint lastData, string outcome)
    {
        DumpedSocket socket = new()
        {
            LastDataRecv = lastData,
            LastAckRecv = lastAck,
            LastDataSent = 5_000,
            Unacked = unacked,
            Timer = 1,
            Expires = 40,
            Rto = 100_000,
            Retransmits = 0,
            Backoff = 0,
        };
        Assert.Equal(outcome, Judge("--no-ack-for 60", socket, TcpState.Established).Outcome.ToString());
        Assert.Equal(Outcome.Busy, Judge("-t 1001 --no-ack-for 60", socket, TcpState.Established).Outcome);
    }

    /// <summary>Both options together mean "or": a connection that is proven dead is not probed, and any other is.</summary>
    [Theory]
    [Rows("1 | 60 | true", "1 | 59 | false", "0 | 1000 | false")]
    public void Judge_NoAckWithProbe_KeepsBothAndMarksTheProven(uint unacked, uint lastAck, bool isProven)
    {
        DumpedSocket socket = new()
        {
            LastDataRecv = 1_000,
            LastAckRecv = lastAck,
            LastDataSent = 5_000,
            Unacked = unacked,
            Timer = 1,
            Expires = 40,
            Rto = 100_000,
            Retransmits = 0,
        };
        Connection connection = Judge("--no-ack-for 60 --probe 3s", socket, TcpState.Established);
        Assert.Equal((Outcome.Pending, isProven), (connection.Outcome, connection.IsProvenDead));
        Assert.False(Judge("--no-ack-for 60", socket, TcpState.Established).IsProvenDead);
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
        byte[] info = new DumpedSocket { LastDataRecv = 4_000_000_000 }.Info();
        Assert.Equal(outcome, Judge("-t 60", info, state).Outcome.ToString());
        Assert.Equal(Outcome.Pending, Judge("", info, state).Outcome);
    }

    private static Connection Judge(string words, byte[] info, byte state) => Judge(words, info, new DumpedSocket().Body(), state);

    private static Connection Judge(string words, DumpedSocket socket, byte state) => Judge(words, socket.Info(), socket.Body(), state);

    private static Connection Judge(string words, byte[] info, byte[] body, byte state)
    {
        var facts = new SocketFacts(in MemoryMarshal.AsRef<InetDiagMsg>(body), info);
        Connection connection = Connections.Of("10.0.0.1:22 10.0.0.2:5", state);
        connection.IdleMs = 7;
        connection.Outcome = Outcome.Failed;
        new IdleRule(Words.Rule(["-s", "22", .. words.Split(' ', StringSplitOptions.RemoveEmptyEntries)])).Judge(ref connection, in facts);
        return connection;
    }
}
