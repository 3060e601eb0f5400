using TcpCloser.Diag;
using TcpCloser.Kill;
using TcpCloser.Proc;
using TcpCloser.Rules;

namespace TcpCloser.Report;

/// <summary>Receives the events of a round in their order. An observer implements the events that it needs.</summary>
internal interface IObserver
{
    /// <summary>A round begins.</summary>
    /// <param name="round">What is known in it, also as it grows.</param>
    void Begin(RoundContext round)
    {
    }

    /// <summary>The dump is complete; what follows may take long.</summary>
    void Listed()
    {
    }

    /// <summary>A long operation makes progress.</summary>
    /// <param name="describe">Returns a text about the progress; called only if it is shown.</param>
    void Progress(Func<string> describe)
    {
    }

    /// <summary>The outcome of a matching connection is final.</summary>
    void Completed(ConnectionList connections, int index)
    {
    }

    /// <summary>The candidates of a dry run. Those that the method could not close have the outcome of that failure.</summary>
    void WouldClose(ConnectionList candidates, ICloseMethod method)
    {
    }

    /// <summary>A process was signalled.</summary>
    void Signalled(SocketHolder process, int signal)
    {
    }

    /// <summary>A message about the round, not about one connection.</summary>
    void Message(Level level, string text)
    {
    }

    /// <summary>Everything reported so far has to be written before the round goes on.</summary>
    void Flush()
    {
    }

    /// <summary>The round is over.</summary>
    /// <param name="isQuiet">Whether nothing happened that needs a summary.</param>
    void End(ExitStatus status, Counts counts, TimeSpan time, bool isQuiet)
    {
    }

    /// <summary>The totals of a service: at its end, or on SIGUSR1.</summary>
    void Totals(Counts totals, long rounds, TimeSpan time)
    {
    }
}
