using TcpCloser.Diag;
using TcpCloser.Interop;
using TcpCloser.Kill;
using TcpCloser.Proc;
using TcpCloser.Report;

namespace TcpCloser.Tests.Support;

/// <summary>Writes results into the list, as a round does, and keeps everything that was told.</summary>
/// <param name="candidates">The connections that the results are about.</param>
internal sealed class RecordingSink(ConnectionList candidates) : IResultSink
{
    /// <summary>How often each connection got an outcome, by its place.</summary>
    public Dictionary<int, int> Told { get; } = [];

    public List<(Operation Operation, int Errno, string? Subject)> Problems { get; } = [];

    /// <summary>Problems with a part of it.</summary>
    public List<(Operation Operation, int Errno, string? Subject)> Incompletes { get; } = [];

    public List<string> Notices { get; } = [];

    public List<(int Pid, int Signal)> Signals { get; } = [];

    /// <summary>How many results came together.</summary>
    public List<int> Batches { get; } = [];

    /// <summary>Whether a problem means that it is not possible here.</summary>
    public bool IsNotPossible => Problems.Exists(static problem => Remedies.IsNotPossible(problem.Operation, problem.Errno));

    /// <summary>Each problem in the words of a log line.</summary>
    public IEnumerable<string> Descriptions =>
        Problems.Select(static problem => Remedies.Describe(problem.Operation, problem.Errno, problem.Subject));

    public void Completed(ReadOnlySpan<Result> results)
    {
        Assert.NotEqual(0, results.Length);
        Batches.Add(results.Length);
        foreach (Result result in results)
        {
            Assert.Equal(Outcome.Idle, candidates[result.Index].Outcome);
            Assert.NotEqual(Outcome.Idle, result.Outcome);
            Told[result.Index] = Told.GetValueOrDefault(result.Index) + 1;
            candidates[result.Index].Outcome = result.Outcome;
            candidates[result.Index].Errno = (ushort)result.Errno;
        }
    }

    public void Found(SocketOwners owners) => candidates.Owners = owners;

    public void Signalled(SocketHolder process, int signal) => Signals.Add((process.Pid, signal));

    public void Problem(Operation operation, int errno, string? subject = null)
    {
        Assert.NotEqual(0, errno);
        Problems.Add((operation, errno, subject));
    }

    public void Incomplete(Operation operation, int errno, string? subject = null)
    {
        Assert.NotEqual(0, errno);
        Incompletes.Add((operation, errno, subject));
    }

    public void Notice(string text) => Notices.Add(text);

    /// <summary>Every connection has one outcome, told once.</summary>
    public void AssertAllTold()
    {
        Assert.Equal(Enumerable.Range(0, candidates.Count), Told.Keys.Order());
        Assert.All(Told.Values, static times => Assert.Equal(1, times));
    }
}
