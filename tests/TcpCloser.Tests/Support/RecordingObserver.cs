namespace TcpCloser.Tests.Support;

/// <summary>Records the reports of a round, and checks their order.</summary>
internal sealed class RecordingObserver : IObserver
{
    private bool _isRunning;

    public Dictionary<ulong, List<Outcome>> Reported { get; } = []; // the outcomes that were reported for each connection, by cookie

    public List<(int Pid, int Signal)> Signals { get; } = [];
    public List<(Level Level, string Text)> Messages { get; } = [];

    public List<ulong> WouldBeClosed { get; } = []; // the cookies of the connections that a dry run would close
    public Counts? Counts { get; private set; }
    public int Rounds { get; private set; } // the number of finished rounds
    public int Unflushed { get; private set; } // the number of reports that are not flushed yet
    public IEnumerable<string> Errors => Messages.Where(static message => message.Level == Level.Error).Select(static message => message.Text);

    public void Begin(RoundContext round)
    {
        Assert.False(_isRunning);
        _isRunning = true;
        Reported.Clear();
        Signals.Clear();
        Messages.Clear();
        WouldBeClosed.Clear();
    }

    public void Completed(ConnectionList connections, int index)
    {
        Assert.True(_isRunning);
        Unflushed++;
        ref Connection connection = ref connections[index];
        if (!Reported.TryGetValue(connection.Cookie, out List<Outcome>? outcomes))
        {
            Reported[connection.Cookie] = outcomes = [];
        }

        outcomes.Add(connection.Outcome);
    }

    public void WouldClose(ConnectionList candidates, ICloseMethod method)
    {
        Assert.True(_isRunning);
        for (int i = 0; i < candidates.Count; i++)
        {
            if (candidates[i].Outcome == Outcome.Pending)
            {
                WouldBeClosed.Add(candidates[i].Cookie);
            }
            else
            {
                Assert.Equal(Counted.Failed, OutcomeInfo.Of(candidates[i].Outcome).Counted);
                Completed(candidates, i);
            }
        }
    }

    public void Signalled(SocketHolder process, int signal)
    {
        Unflushed++;
        Signals.Add((process.Pid, signal));
    }

    public void Message(Level level, string text)
    {
        Words.AssertOneLine(text);
        Messages.Add((level, text));
    }

    public void Flush() => Unflushed = 0;

    public void End(ExitStatus status, Counts counts, TimeSpan time, bool isQuiet)
    {
        Assert.True(_isRunning);
        _isRunning = false;
        Counts = counts;
        Rounds++;
    }

    public void Totals(Counts totals, long rounds, TimeSpan time) => Assert.Fail("a round is not a service");
}
