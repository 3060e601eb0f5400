using TcpCloser.Run;

namespace TcpCloser.Tests.Run;

/// <summary><c>--matched-for</c> in the rounds of a service.</summary>
public sealed class MatchedForTests
{
    private readonly FakeHost _host = new();
    private readonly ServerScene _scene;
    private readonly RecordingObserver _observer = new();

    public MatchedForTests() => _scene = new ServerScene(_host);

    [Fact]
    public void Round_MatchedForTime_IsClosedThen()
    {
        Round round = Make();
        Assert.Equal(Outcome.TooNew, RunAfter(round, 0));
        Assert.Equal((ExitStatus.Done, 0L), (round.Run(), round.Counts.Idle));
        Assert.Equal(Outcome.TooNew, RunAfter(round, 59_999));
        Assert.Equal(Outcome.Destroyed, RunAfter(round, 1));
    }

    /// <summary>Whether it is idle does not matter for the time; both have to hold in the end.</summary>
    [Fact]
    public void Round_BusyMeanwhile_KeepsTheTime()
    {
        Round round = Make("-t", "1s");
        RunAfter(round, 0);
        SetIdle(5);
        Assert.Equal(Outcome.Busy, RunAfter(round, 30_000));
        Assert.Equal(Outcome.Busy, RunAfter(round, 30_000));
        SetIdle(60_000);
        Assert.Equal(Outcome.Destroyed, RunAfter(round, 0));
    }

    /// <summary>The time runs on from one selected state to another, and begins again after a state that is not selected.</summary>
    [Theory]
    [Rows("close-wait,last-ack | false", "last-ack | true")]
    public void Round_StateChanges_KeepsTheTimeIfBothAreSelected(string states, bool beginsAgain)
    {
        Round round = Make("--state", states);
        SetState(TcpState.LastAck);
        RunAfter(round, 0);
        SetState(TcpState.CloseWait);
        RunAfter(round, 30_000);
        SetState(TcpState.LastAck);
        Assert.Equal(beginsAgain ? Outcome.TooNew : Outcome.Destroyed, RunAfter(round, 30_000));
    }

    [Theory]
    [Values("open netlink", "send", "receive")]
    public void Round_ListingFailsMeanwhile_KeepsTheTime(string failing)
    {
        Round round = Make();
        RunAfter(round, 0);
        _host.Faults.Errno = (call, _) => call.StartsWith(failing, StringComparison.Ordinal) ? Errno.ENOMEM : 0;
        _host.Clock.Pass(30_000);
        Assert.Equal(ExitStatus.Incomplete, round.Run());
        _host.Faults.Errno = static (_, _) => 0;
        Assert.Equal(Outcome.Destroyed, RunAfter(round, 30_000));
    }

    private Round Make(params string[] words) =>
        Rounds.Make(_host.Machine, [_observer], stop: null, ["-46", "-s", "22", "-v", "-i", "10s", "--matched-for", "1m", .. words]);

    /// <summary>Returns what the round reports about one connection.</summary>
    private Outcome? RunAfter(Round round, long ms)
    {
        _host.Clock.Pass(ms);
        _ = round.Run();
        return _observer.Reported.TryGetValue(_scene.One.Dumped.Cookie, out List<Outcome>? outcomes) ? Assert.Single(outcomes) : null;
    }

    private void SetIdle(uint ms) => _scene.One.Dumped = _scene.One.Dumped with { LastDataRecv = ms };
    private void SetState(byte state) => _scene.One.Dumped = _scene.One.Dumped with { State = state };
}
