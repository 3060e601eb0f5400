using TcpCloser.Diag;
using TcpCloser.Report;

namespace TcpCloser.Tests.Support;

/// <summary>Holds what a round told and returned against what is true of the machine afterwards.</summary>
/// <param name="host">The machine.</param>
/// <param name="observer">What was told.</param>
/// <param name="status">The exit status.</param>
internal sealed class RoundAudit(FakeHost host, RecordingObserver observer, ExitStatus status)
{
    private static readonly Outcome[] s_closed = [Outcome.Destroyed, Outcome.Disconnected, Outcome.Killed, Outcome.Reset];

    /// <summary>The sockets that the words mean.</summary>
    public required Predicate<FakeTcp> IsMeant { get; init; }

    /// <summary>Whether the machine said, untruly, that something is not there: then nobody could know better.</summary>
    public bool WasLiedTo { get; init; }

    /// <summary>Whether descriptors may be left to the end of the process, which is near.</summary>
    public bool LeavesOpen { get; init; }

    private Counts Counts => observer.Counts!;

    /// <summary>All of it.</summary>
    public void Run()
    {
        Assert.True(LeavesOpen || host.AllLeftOpen == 0, $"{host.AllLeftOpen} handles were not closed");
        Assert.Equal(0, observer.Unflushed);
        Assert.All(observer.Told.Values, static outcomes => Assert.Single(outcomes));
        Assert.Equal(host.Signals, observer.Signals);
        foreach (FakeTcp socket in host.Sockets)
        {
            Check(socket, observer.Told.TryGetValue(socket.Dumped.Cookie, out List<Outcome>? outcomes) ? outcomes[0] : null);
        }

        CheckCounts();
        CheckStatus();
    }

    private void Check(FakeTcp socket, Outcome? told)
    {
        bool isEndedHere = socket.EndedBy is { } by && by != FakeHost.ByItself;
        bool isClosed = told is { } outcome && s_closed.Contains(outcome);
        string what = $"{socket.Dumped} is {socket.EndedBy ?? "open"}, told {told}, meant {IsMeant(socket)}";
        Assert.True(!isClosed || !socket.IsOpen || (told == Outcome.Killed && socket.Dumped.Inode == 0), what + ": not closed");
        Assert.True(told != Outcome.Vanished || socket.EndedBy == FakeHost.ByItself || WasLiedTo, what + ": did not vanish");
        Assert.True(told is null || IsMeant(socket), what + ": not meant");

        // What a process loses besides, when it is killed, is told by its signal.
        bool isLostBesides = isEndedHere && socket.EndedBy!.StartsWith(FakeHost.BySignal, StringComparison.Ordinal)
            && (told is null ? !IsMeant(socket) : OutcomeInfo.Of(told.Value).Counted == Counted.Matched);
        bool isTold = isClosed || told == Outcome.Unknown || (WasLiedTo && told == Outcome.Vanished);
        Assert.True(!isEndedHere || isLostBesides || isTold, what + ": closed and not told");
        Assert.True(!isEndedHere || isLostBesides || IsMeant(socket), what + ": closed and not meant");
    }

    private void CheckCounts()
    {
        // Under --verbose every connection that matched is told, unless none was tried: in a dry run, or above --max.
        Assert.Equal(Counts.Matched, observer.Told.Count + Counts.WouldClose);
        int Number(Predicate<Outcome> predicate) => observer.Told.Values.Count(outcomes => predicate(outcomes[0]));
        Assert.Equal(Counts.Closed, Number(s_closed.Contains));
        Assert.Equal(Counts.Vanished, Number(static outcome => outcome == Outcome.Vanished));
        Assert.Equal(Counts.Spared, Number(static outcome => outcome == Outcome.Spared));
        Assert.Equal(Counts.Failed, Number(static outcome => OutcomeInfo.Of(outcome).Counted == Counted.Failed));
        Assert.Equal(Counts.Idle, Number(static outcome => OutcomeInfo.Of(outcome).Counted != Counted.Matched) + Counts.WouldClose);
    }

    private void CheckStatus()
    {
        Assert.True(status is ExitStatus.Done or ExitStatus.Incomplete or ExitStatus.NotPossible or ExitStatus.Refused, $"status {status}");
        bool anyDone = Counts.Closed + Counts.Cured > 0 || host.Signals.Count > 0
            || host.Sockets.Exists(static socket => socket.EndedBy is { } by && by != FakeHost.ByItself);
        Assert.True(!anyDone || status is ExitStatus.Done or ExitStatus.Incomplete, $"status {status} after something was done");
        Assert.True(status != ExitStatus.Done || Counts.Failed == 0, "failed and 0");
        Assert.True(status is ExitStatus.Done or ExitStatus.Refused || observer.Errors.Any() || Counts.Failed > 0
            || observer.Messages.Exists(static message => message.Level == Level.Warning), $"status {status} without a word");
        foreach (FakeTcp socket in host.Sockets)
        {
            // What could not be looked at is never taken for what is not there.
            bool isLeft = socket.IsOpen && IsMeant(socket) && !observer.Told.ContainsKey(socket.Dumped.Cookie)
                && !observer.WouldBeClosed.Contains(socket.Dumped.Cookie);
            Assert.True(status != ExitStatus.Done || !isLeft || WasLiedTo, $"{socket.Dumped} was overlooked, status 0");
        }
    }
}
