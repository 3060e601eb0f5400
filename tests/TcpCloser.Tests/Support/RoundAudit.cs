namespace TcpCloser.Tests.Support;

/// <summary>Compares the reports and the exit status of a round with the state of the machine afterwards.</summary>
internal sealed class RoundAudit(FakeHost host, RecordingObserver observer, ExitStatus status)
{
    private static readonly Outcome[] s_closed = [Outcome.Destroyed, Outcome.Disconnected, Outcome.Killed, Outcome.Reset];

    public required Predicate<FakeTcp> IsSelected { get; init; } // whether the command line selects the socket
    public bool HadFalseAbsence { get; init; } // whether a fault reported that something does not exist: the program could not know better

    /// <summary>Whether processes exclude sockets: if they seemed to be absent, their sockets are not excluded.</summary>
    public bool ExcludesByProcess { get; init; }
    public bool MayLeaveOpen { get; init; } // whether descriptors may stay open because the process is about to end
    private Counts Counts => observer.Counts!;

    public void Run()
    {
        Assert.True(MayLeaveOpen || host.AllLeftOpen == 0, $"{host.AllLeftOpen} handles were not closed");
        Assert.Equal(0, observer.Unflushed);
        Assert.All(observer.Reported.Values, static outcomes => Assert.Single(outcomes));
        Assert.Equal(host.Signals, observer.Signals);
        foreach (FakeTcp socket in host.Sockets)
        {
            Check(socket, observer.Reported.TryGetValue(socket.Dumped.Cookie, out List<Outcome>? outcomes) ? outcomes[0] : null);
        }

        CheckCounts();
        CheckStatus();
    }

    private void Check(FakeTcp socket, Outcome? reported)
    {
        bool isEndedHere = socket.EndedBy is { } by && by != FakeHost.ByItself;
        bool isClosed = reported is { } outcome && s_closed.Contains(outcome);
        bool mayBeSelected = IsSelected(socket) || (HadFalseAbsence && ExcludesByProcess);
        string what = $"{socket.Dumped} is {socket.EndedBy ?? "open"}, reported {reported}, selected {IsSelected(socket)}";
        Assert.True(!isClosed || !socket.IsOpen || (reported == Outcome.Killed && (socket.Dumped.Inode == 0 || socket.MptcpInode == 0)), what + ": not closed");
        Assert.True(reported != Outcome.Vanished || socket.EndedBy == FakeHost.ByItself || HadFalseAbsence, what + ": did not vanish");
        Assert.True(reported is null or Outcome.Excluded || mayBeSelected, what + ": not selected");

        // The line about the signal also covers the other connections of a killed process.
        bool isLostWithProcess = isEndedHere && socket.EndedBy!.StartsWith(FakeHost.BySignal, StringComparison.Ordinal)
            && (reported is null ? !IsSelected(socket) : OutcomeInfo.Of(reported.Value).Counted is Counted.Matched or Counted.OverLimit);
        bool isReported = isClosed || reported == Outcome.Unknown || (HadFalseAbsence && reported == Outcome.Vanished);
        Assert.True(!isEndedHere || isLostWithProcess || isReported, what + ": closed but not reported");
        Assert.True(!isEndedHere || isLostWithProcess || mayBeSelected, what + ": closed but not selected");
    }

    private void CheckCounts()
    {
        // With --verbose, every matching connection is reported, unless none was tried: in a dry run, or above --max.
        Assert.Equal(Counts.Matched, observer.Reported.Count + Counts.WouldClose);
        int Number(Predicate<Outcome> predicate) => observer.Reported.Values.Count(outcomes => predicate(outcomes[0]));
        Assert.Equal(Counts.Closed, Number(s_closed.Contains));
        Assert.Equal(Counts.Vanished, Number(static outcome => outcome == Outcome.Vanished));
        Assert.Equal(Counts.Spared, Number(static outcome => outcome == Outcome.Spared));
        Assert.Equal(Counts.Failed, Number(static outcome => OutcomeInfo.Of(outcome).Counted == Counted.Failed));
        Assert.Equal(Counts.Idle, Number(static outcome => OutcomeInfo.Of(outcome).Counted is not (Counted.Matched or Counted.OverLimit)) + Counts.WouldClose);
    }

    private void CheckStatus()
    {
        Assert.True(status is ExitStatus.Done or ExitStatus.Incomplete or ExitStatus.NotPossible or ExitStatus.Refused, $"status {status}");
        bool anyDone = Counts.Closed + Counts.Cured > 0 || host.Signals.Count > 0
            || host.Sockets.Exists(static socket => socket.EndedBy is { } by && by != FakeHost.ByItself);
        Assert.True(!anyDone || status is ExitStatus.Done or ExitStatus.Incomplete, $"status {status} after something was done");
        Assert.True(status != ExitStatus.Done || Counts.Failed == 0, "failed connections, but status 0");
        Assert.True(status is ExitStatus.Done or ExitStatus.Refused || observer.Errors.Any() || Counts.Failed > 0
            || observer.Messages.Exists(static message => message.Level == Level.Warning), $"status {status} without a reason");
        foreach (FakeTcp socket in host.Sockets)
        {
            // A socket that could not be examined must not count as absent.
            bool isLeft = socket.IsOpen && IsSelected(socket) && !observer.Reported.ContainsKey(socket.Dumped.Cookie)
                && !observer.WouldBeClosed.Contains(socket.Dumped.Cookie);
            Assert.True(status != ExitStatus.Done || !isLeft || HadFalseAbsence, $"{socket.Dumped} was missed, but status 0");
        }
    }
}
