namespace TcpCloser.Tests.Support;

/// <summary>Writes results into the list, as a round does, and records everything that is reported.</summary>
/// <param name="candidates">The connections that the results are about.</param>
internal sealed class RecordingSink(ConnectionList candidates) : IResultSink
{
    public Dictionary<int, int> Reported { get; } = []; // how often each connection got an outcome, by index

    public List<(Operation Operation, int Errno, string? Subject)> Problems { get; } = [];

    /// <summary>Problems with a part of the work.</summary>
    public List<(Operation Operation, int Errno, string? Subject)> Incompletes { get; } = [];

    public List<string> Notices { get; } = [];

    public List<(int Pid, int Signal)> Signals { get; } = [];

    public List<int> Batches { get; } = []; // the number of results in each batch

    /// <summary>Whether a problem means that the method is not possible here.</summary>
    public bool IsNotPossible => Problems.Exists(static problem => Remedies.IsNotPossible(new Failure(problem.Operation, problem.Errno)));

    /// <summary>Each problem as in a log line.</summary>
    public IEnumerable<string> Descriptions =>
        Problems.Select(static problem => Remedies.Describe(new Failure(problem.Operation, problem.Errno, problem.Subject)));

    public void Completed(ReadOnlySpan<Result> results)
    {
        Assert.NotEqual(0, results.Length);
        Batches.Add(results.Length);
        foreach (Result result in results)
        {
            Assert.Equal(Outcome.Pending, candidates[result.Index].Outcome);
            Assert.True(result.Outcome != Outcome.Pending || result.By != Method.Auto, "a connection that would be closed needs a method");
            Reported[result.Index] = Reported.GetValueOrDefault(result.Index) + 1;
            candidates[result.Index].Outcome = result.Outcome;
            candidates[result.Index].Errno = (ushort)result.Errno;
            candidates[result.Index].By = result.By;
        }
    }

    public void Signalled(SocketHolder process, int signal) => Signals.Add((process.Pid, signal));

    public void Problem(Failure failure)
    {
        Assert.False(failure.IsNone);
        Problems.Add((failure.Operation, failure.Errno, failure.Subject));
    }

    public void Incomplete(Failure failure)
    {
        Assert.False(failure.IsNone);
        Incompletes.Add((failure.Operation, failure.Errno, failure.Subject));
    }

    public List<UnaskedPeers> UnaskedPeers { get; } = [];

    public void Unasked(UnaskedPeers peers) => UnaskedPeers.Add(peers);
    public void Progress(Func<string> describe) => LastProgress = describe();

    public string LastProgress { get; private set; } = "";

    public void Notice(string text) => Notices.Add(text);

    /// <summary>Every connection got exactly one outcome.</summary>
    public void AssertAllReported()
    {
        Assert.Equal(Enumerable.Range(0, candidates.Count), Reported.Keys.Order());
        Assert.All(Reported.Values, static times => Assert.Equal(1, times));
    }
}
