using TcpCloser.Diag;
using TcpCloser.Interop;
using TcpCloser.Kill;
using TcpCloser.Proc;
using TcpCloser.Report;
using TcpCloser.Rules;

namespace TcpCloser.Run;

/// <summary>Receives the results of the steps, records and counts them, and passes them to every observer.</summary>
/// <param name="observers">
/// The observers, enumerated for each connection. The type is List because enumerating a List does not allocate.
/// </param>
internal sealed class RoundReport(ConnectionList candidates, List<IObserver> observers, RoundStatus status) : IResultSink
{
    private int _done;

    /// <summary>Reopens the log file if a signal requested it; null: signals are not watched yet.</summary>
    public IStopSource? Stop { get; set; }

    public void Begin(RoundContext round)
    {
        foreach (IObserver observer in observers)
        {
            observer.Begin(round);
        }
    }

    public void Listed()
    {
        foreach (IObserver observer in observers)
        {
            observer.Listed();
        }
    }

    public void Completed(ReadOnlySpan<Result> results)
    {
        foreach (Result result in results)
        {
            Complete(result.Index, result.Outcome, result.Errno, result.By);
        }

        Flush();
        _done += results.Length;
        Progress(() => $"{_done} of {candidates.Count} connections done");
    }

    public void Signalled(SocketHolder process, int signal)
    {
        status.HasSignalled = true;
        foreach (IObserver observer in observers)
        {
            observer.Signalled(process, signal);
        }

        Flush();
    }

    public void Problem(Failure failure)
    {
        status.IsNotPossible |= Remedies.IsNotPossible(failure);
        Incomplete(failure);
    }

    /// <summary>Reports that processes or cgroups could not be inspected.</summary>
    /// <param name="isAll">Whether none of them could be.</param>
    public void Failed(Failure failure, bool isAll)
    {
        if (isAll)
        {
            Problem(failure);
        }
        else
        {
            Incomplete(failure);
        }
    }

    public void Incomplete(Failure failure)
    {
        status.IsIncomplete = true;
        Message(Level.Error, Remedies.Describe(failure));
    }

    public void Unasked(UnaskedPeers peers)
    {
        if (peers.Count > 0)
        {
            status.IsIncomplete = true;
            status.IsNotPossible |= peers.Count == peers.Wanted;
            Message(Level.Warning, UnaskedText.Describe(peers));
        }
    }

    public void Progress(Func<string> describe)
    {
        foreach (IObserver observer in observers)
        {
            observer.Progress(describe);
        }
    }

    public void Notice(string text) => Message(Level.Warning, text);

    /// <summary>Completes the candidates that are still pending.</summary>
    public void CompleteRest(Outcome outcome, int errno)
    {
        for (int i = 0; i < candidates.Count; i++)
        {
            if (candidates[i].Outcome == Outcome.Pending)
            {
                Complete(i, outcome, errno, candidates[i].By);
            }
        }
    }

    /// <summary>Completes the candidates that a run did not reach before a signal asked it to stop.</summary>
    /// <returns>Whether anything was left undone; if not, nothing was interrupted.</returns>
    public bool Interrupt(int signal)
    {
        CompleteRest(Outcome.NotReached, 0);
        var undone = new List<string>();
        if (status.Counts.NotReached is var notReached and > 0)
        {
            undone.Add(notReached == 1 ? "1 idle connection was not reached" : $"{notReached} idle connections were not reached");
        }

        if (status.Counts.NotAwaited is var open and > 0)
        {
            undone.Add(open == 1 ? "1 connection of signalled processes was still open" : $"{open} connections of signalled processes were still open");
        }

        if (undone.Count > 0)
        {
            Message(Level.Error, $"interrupted by {Signal.NameOf(signal)}: {string.Join(", ", undone)}");
        }

        return undone.Count > 0;
    }

    /// <summary>Reports a connection whose outcome is final.</summary>
    public void Report(ConnectionList connections, int index)
    {
        status.Counts.Count(connections[index].Outcome);
        foreach (IObserver observer in observers)
        {
            observer.Completed(connections, index);
        }
    }

    /// <summary>Shows the candidates that would be closed, and those that could not be closed.</summary>
    public void WouldClose(ICloseMethod method)
    {
        foreach (IObserver observer in observers)
        {
            observer.WouldClose(candidates, method);
            observer.Flush();
        }
    }

    public void End(ExitStatus exitStatus, TimeSpan time, bool isQuiet)
    {
        foreach (IObserver observer in observers)
        {
            observer.End(exitStatus, status.Counts, time, isQuiet);
            observer.Flush();
        }
    }

    public void Message(Level level, string text)
    {
        foreach (IObserver observer in observers)
        {
            observer.Message(level, text);
        }
    }

    /// <summary>Writes the reports before anything else is done.</summary>
    private void Flush()
    {
        foreach (IObserver observer in observers)
        {
            observer.Flush();
        }

        Stop?.ReopenLogIfRequested();
    }

    private void Complete(int index, Outcome outcome, int errno, Method by)
    {
        candidates[index].Outcome = outcome;
        candidates[index].Errno = (ushort)errno;
        candidates[index].By = by;
        Report(candidates, index);
    }
}

/// <summary>The facts that decide the exit status of a round.</summary>
internal sealed class RoundStatus
{
    public RoundStatus(Rule rule) => Counts = new Counts
    {
        HasVerdicts = rule.Probe > TimeSpan.Zero,
        HasNotFound = rule.Only.Count > 0,
        HasLimit = rule.Limit is not null,
    };

    public Counts Counts { get; }

    /// <summary>Whether something failed because it is not possible here: privilege or kernel support is missing.</summary>
    public bool IsNotPossible { get; set; }

    /// <summary>Whether something failed that applies to the whole run.</summary>
    public bool IsIncomplete { get; set; }

    /// <summary>Whether a process was signalled.</summary>
    public bool HasSignalled { get; set; }

    public void Clear()
    {
        Counts.Clear();
        (IsNotPossible, IsIncomplete, HasSignalled) = (false, false, false);
    }

    /// <summary>
    /// The exit status. It is never <see cref="ExitStatus.NotPossible"/> after a connection was closed or a process was signalled.
    /// </summary>
    public ExitStatus Of(RunOptions run)
    {
        bool nothingDone = Counts.Closed + Counts.Cured + Counts.Unknown == 0 && !HasSignalled;
        return IsNotPossible && nothingDone && (!run.DryRun || Counts.WouldClose == 0) ? ExitStatus.NotPossible
            : Counts.Failed > 0 || IsIncomplete ? ExitStatus.Incomplete
            : ExitStatus.Done;
    }
}
