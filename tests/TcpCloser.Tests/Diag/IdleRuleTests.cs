using System.Runtime.InteropServices;
using TcpCloser.Diag;
using TcpCloser.Interop;
using TcpCloser.Tests.Support;

namespace TcpCloser.Tests.Diag;

/// <summary>Who is idle, at each side of each bound.</summary>
public sealed class IdleRuleTests
{
    [Theory]
    [InlineData("-t 60", 59, "Busy")]
    [InlineData("-t 60", 60, "Idle")]
    [InlineData("-t 60", 61, "Idle")]
    [InlineData("-t 60", 0, "Busy")]
    [InlineData("-t 60", 4294967294, "Idle")]
    [InlineData("-t 4294967294", 4294967293, "Busy")]
    [InlineData("-t 4294967294", 4294967294, "Idle")]
    [InlineData("-t 49d", 4233599999, "Busy")]
    [InlineData("-t 49d", 4233600000, "Idle")]
    [InlineData("--last-recv-limit 60", 0, "Idle")]
    [InlineData("--last-recv-limit 60", 59, "Idle")]
    [InlineData("--last-recv-limit 60", 60, "BeyondLimit")]
    [InlineData("--last-recv-limit 60", 4294967294, "BeyondLimit")]
    [InlineData("-t 50 --last-recv-limit 60", 49, "Busy")]
    [InlineData("-t 50 --last-recv-limit 60", 50, "Idle")]
    [InlineData("-t 50 --last-recv-limit 60", 59, "Idle")]
    [InlineData("-t 50 --last-recv-limit 60", 60, "BeyondLimit")]
    [InlineData("-t 0", 0, "Idle")]
    [InlineData("-t 0 --last-recv-limit 0", 4294967294, "Idle")]
    public void ByAge(string words, uint age, string outcome)
    {
        Connection connection = Judge(words, new DumpedSocket { LastDataRecv = age }.Info(), TcpState.Established);
        Assert.Equal(outcome, connection.Outcome.ToString());
        Assert.Equal(age, connection.IdleMs);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(52)]
    [InlineData(59)]
    public void WithoutAClock(int infoLength)
    {
        byte[] info = new DumpedSocket { InfoLength = infoLength, LastDataRecv = 4_000_000_000 }.Info();
        Assert.Equal(Outcome.NoClock, Judge("-t 1", info, TcpState.Established).Outcome);
        Assert.Equal(Outcome.NoClock, Judge("--last-recv-limit 1", info, TcpState.Established).Outcome);
        Connection connection = Judge("", info, TcpState.TimeWait);
        Assert.Equal(Outcome.Idle, connection.Outcome);
        Assert.Equal(Connection.UnknownAge, connection.IdleMs);
    }

    [Fact]
    public void AClockNeedsNoMoreOfTcpInfoThanItself() =>
        Assert.Equal(Outcome.Idle, Judge("-t 60", new DumpedSocket { InfoLength = 60, LastDataRecv = 60 }.Info(), 1).Outcome);

    [Theory]
    [InlineData("-t 60", 100, 5, "Idle")]
    [InlineData("-t 60 --idle-by recv", 100, 5, "Idle")]
    [InlineData("-t 60 --idle-by send", 100, 5, "Busy")]
    [InlineData("-t 60 --idle-by send", 5, 60, "Idle")]
    [InlineData("-t 60 --idle-by both", 60, 59, "Busy")]
    [InlineData("-t 60 --idle-by both", 59, 60, "Busy")]
    [InlineData("-t 60 --idle-by both", 60, 61, "Idle")]
    [InlineData("--idle-by send --last-recv-limit 60", 5, 60, "BeyondLimit")]
    public void ByDirection(string words, uint received, uint sent, string outcome)
    {
        byte[] info = new DumpedSocket { LastDataRecv = received }.Info();
        BitConverter.TryWriteBytes(info.AsSpan(44), sent); // tcpi_last_data_sent
        Assert.Equal(outcome, Judge(words, info, TcpState.Established).Outcome.ToString());
    }

    /// <summary>What is proved is another matter; here it is one condition beside the others.</summary>
    [Theory]
    [InlineData(1, 60, 60, "Idle")]
    [InlineData(1, 59, 60, "Unproved")]
    [InlineData(1, 60, 59, "Unproved")]
    [InlineData(0, 1000, 1000, "Unproved")]
    public void ByAcknowledgement(uint unacked, uint lastAck, uint lastData, string outcome)
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

    /// <summary>The peer's FIN is news although it is no data: behind it the acknowledgement counts as received, too.</summary>
    [Theory]
    [InlineData(TcpState.CloseWait, "Busy")]
    [InlineData(TcpState.LastAck, "Busy")]
    [InlineData(TcpState.Closing, "Busy")]
    [InlineData(TcpState.Established, "Idle")]
    [InlineData(TcpState.FinWait1, "Idle")]
    [InlineData(TcpState.FinWait2, "Idle")]
    [InlineData(TcpState.TimeWait, "Idle")]
    public void BehindTheFinOfThePeer(byte state, string outcome)
    {
        DumpedSocket socket = new() { LastDataRecv = 100, LastAckRecv = 59, LastDataSent = 100 };
        Assert.Equal(outcome, Judge("-t 60", socket, state).Outcome.ToString());
        Assert.Equal(outcome, Judge("-t 60 --idle-by both", socket, state).Outcome.ToString());
        Assert.Equal(Outcome.Idle, Judge("-t 60 --idle-by send", socket, state).Outcome);
        Assert.Equal(Outcome.Idle, Judge("-t 60", socket with { LastAckRecv = 60 }, state).Outcome);
        Assert.Equal(Outcome.Busy, Judge("-t 60", socket with { LastDataRecv = 59, LastAckRecv = 100 }, state).Outcome);
    }

    [Theory]
    [InlineData(TcpState.SynSent, "NoClock")]
    [InlineData(TcpState.Listen, "NoClock")]
    [InlineData(TcpState.Established, "Idle")]
    [InlineData(TcpState.CloseWait, "Idle")]
    [InlineData(TcpState.FinWait1, "Idle")]
    [InlineData(TcpState.FinWait2, "Idle")]
    [InlineData(TcpState.LastAck, "Idle")]
    [InlineData(TcpState.Closing, "Idle")]
    public void StatesWhoseClocksWereNeverSet(byte state, string outcome)
    {
        byte[] info = new DumpedSocket { LastDataRecv = 4_000_000_000 }.Info();
        Assert.Equal(outcome, Judge("-t 60", info, state).Outcome.ToString());
        Assert.Equal(Outcome.Idle, Judge("", info, state).Outcome);
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
