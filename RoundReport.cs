using TcpCloser.Diag;
using TcpCloser.Interop;
using TcpCloser.Kill;
using TcpCloser.Proc;
using TcpCloser.Report;

namespace TcpCloser;

/// <summary>Where filters and methods push what they found out and did: it is written down, counted, and told to every observer.</summary>
/// <param name="candidates">The connections that the results are about.</param>
/// <param name="observers">Hear of it. A list by its own type, of which going through costs no memory: it is done for each connection.</param>
/// <param name="status">What decides the exit status.</param>
internal sealed class RoundReport(ConnectionList candidates, List<IObserver> observers, RoundStatus status) : IResultSink
{
    /// <summary>Asked whether the log file is to be opened again, once there is something that tells it; null: not yet.</summary>
    public IStopSource? Stop { get; set; }

    public void Completed(ReadOnlySpan<Result> results)
    {
        foreach (Result result in results)
        {
            Complete(result.Index, result.Outcome, result.Errno);
        }

        Flush();
    }

    /// <summary>What is known of every holder stays, where a search ended at the first of each socket.</summary>
    public void Found(SocketOwners owners) =>
        candidates.Owners = candidates.Owners is { IsWhole: true } whole && !owners.IsWhole ? whole : owners;

    public void Signalled(SocketHolder process, int signal)
    {
        status.HasSignalled = true;
        foreach (IObserver observer in observers)
        {
            observer.Signalled(process, signal);
        }

        Flush();
    }

    public void Problem(Operation operation, int errno, string? subject)
    {
        status.IsNotPossible |= Remedies.IsNotPossible(operation, errno);
        Incomplete(operation, errno, subject);
    }

    public void Incomplete(Operation operation, int errno, string? subject)
    {
        status.IsIncomplete = true;
        Message(Level.Error, Remedies.Describe(operation, errno, subject));
    }

    public void Notice(string text) => Message(Level.Warning, text);

    /// <summary>Tells of the candidates of which nothing was told yet.</summary>
    public void CompleteRest(Outcome outcome, int errno)
    {
        for (int i = 0; i < candidates.Count; i++)
        {
            if (candidates[i].Outcome == Outcome.Idle)
            {
                Complete(i, outcome, errno);
            }
        }
    }

    /// <summary>Tells of a connection whose outcome is final.</summary>
    public void Tell(ConnectionList connections, int index)
    {
        status.Counts.Count(connections[index].Outcome);
        foreach (IObserver observer in observers)
        {
            observer.Completed(connections, index);
        }
    }

    public void Message(Level level, string text)
    {
        foreach (IObserver observer in observers)
        {
            observer.Message(level, text);
        }
    }

    /// <summary>What was told is out before anything more is done.</summary>
    private void Flush()
    {
        foreach (IObserver observer in observers)
        {
            observer.Flush();
        }

        Stop?.HangUp();
    }

    private void Complete(int index, Outcome outcome, int errno)
    {
        candidates[index].Outcome = outcome;
        candidates[index].Errno = (ushort)errno;
        Tell(candidates, index);
    }
}
