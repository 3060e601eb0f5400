using TcpCloser.Diag;
using TcpCloser.Proc;
using TcpCloser.Rules;

namespace TcpCloser.Kill;

/// <summary>Receives the results of the steps and reports them before the steps go on.</summary>
internal interface IResultSink
{
    /// <summary>Reports final outcomes. Each candidate gets one.</summary>
    /// <param name="results">The results; overwritten after the call.</param>
    void Completed(ReadOnlySpan<Result> results);

    /// <summary>Reports that a process was signalled.</summary>
    void Signalled(SocketHolder process, int signal);

    /// <summary>Reports a failure that applies to the whole run, not to one connection, and explains why connections stay open.</summary>
    void Problem(Failure failure);

    /// <summary>Reports a failure of a run that did part of its work. Such a failure never makes the exit status "not possible".</summary>
    void Incomplete(Failure failure);

    /// <summary>Reports the peers that could not be probed, if any.</summary>
    void Unasked(UnaskedPeers peers);

    /// <summary>Reports the progress of a slow operation.</summary>
    /// <param name="describe">Describes the progress; called only if an observer shows it.</param>
    void Progress(Func<string> describe);

    /// <summary>Reports something that the operator should know and that is not a failure.</summary>
    void Notice(string text);
}

/// <summary>What became of one candidate.</summary>
/// <param name="errno">The errno that explains the outcome; 0: none.</param>
/// <param name="by">The method that was used; <see cref="Method.Auto"/>: none.</param>
internal readonly struct Result(int index, Outcome outcome, int errno = 0, Method by = Method.Auto)
{
    public int Index { get; } = index;

    public Outcome Outcome { get; } = outcome;

    public int Errno { get; } = errno;

    public Method By { get; } = by;
}

/// <summary>Collects results and passes them on in batches, from one reused array.</summary>
/// <param name="by">The method that produced the results; <see cref="Method.Auto"/>: none, as in a filter.</param>
internal sealed class ResultBatch(IResultSink sink, Method by = Method.Auto)
{
    /// <summary>
    /// The maximum length of a batch, which is also the number of SOCK_DESTROY requests in one send: the default receive buffer cannot hold
    /// more refusals.
    /// </summary>
    public const int Length = 256;

    private readonly Result[] _results = new Result[Length];
    private int _count;

    /// <summary>Whether one of the connections could not be closed, because of its own state or its holders.</summary>
    public bool HasFailed { get; private set; }

    public void Add(int index, Outcome outcome, int errno = 0)
    {
        HasFailed |= outcome is Outcome.Failed or Outcome.NoOwner or Outcome.OwnerUnknown;
        _results[_count++] = new Result(index, outcome, errno, outcome == Outcome.NotReached ? Method.Auto : by);
        if (_count == Length)
        {
            Flush();
        }
    }

    /// <summary>Passes on the collected results. No result is passed on twice, even if the sink throws.</summary>
    public void Flush()
    {
        int count = _count;
        _count = 0;
        if (count > 0)
        {
            sink.Completed(_results.AsSpan(0, count));
        }
    }
}
