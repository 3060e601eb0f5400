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

    [Theory]
    [InlineData(1, 60, "Idle")]
    [InlineData(1, 59, "Unproved")]
    [InlineData(0, 1000, "Unproved")]
    public void ByAcknowledgement(uint unacked, uint lastAck, string outcome)
    {
        byte[] info = new DumpedSocket { LastDataRecv = 5 }.Info();
        BitConverter.TryWriteBytes(info.AsSpan(24), unacked); // tcpi_unacked
        BitConverter.TryWriteBytes(info.AsSpan(56), lastAck); // tcpi_last_ack_recv
        Assert.Equal(outcome, Judge("--no-ack-for 60", info, TcpState.Established).Outcome.ToString());
        Assert.Equal(Outcome.Busy, Judge("-t 6 --no-ack-for 60", info, TcpState.Established).Outcome);
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

    private static Connection Judge(string words, byte[] info, byte state)
    {
        Connection connection = Connections.Of("10.0.0.1:22 10.0.0.2:5", state);
        connection.IdleMs = 7;
        connection.Outcome = Outcome.Failed;
        new IdleRule(Words.Rule(["-s", "22", .. words.Split(' ', StringSplitOptions.RemoveEmptyEntries)])).Judge(ref connection, info);
        return connection;
    }
}
