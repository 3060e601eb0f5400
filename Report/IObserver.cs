using TcpCloser.Diag;
using TcpCloser.Kill;
using TcpCloser.Proc;

namespace TcpCloser.Report;

/// <summary>Hears what happens in a round, in the order in which it happens. What is of no use to one, it leaves out.</summary>
internal interface IObserver
{
    /// <summary>A round begins.</summary>
    void Begin()
    {
    }

    /// <summary>The outcome of a connection that matched is final.</summary>
    void Completed(ConnectionList connections, int index)
    {
    }

    /// <summary>A dry run ends here: these are idle. Those that the method could not close have the outcome that says why.</summary>
    /// <param name="candidates">The connections, with what is known of their owners.</param>
    /// <param name="method">What would close them.</param>
    void WouldClose(ConnectionList candidates, ICloseMethod method)
    {
    }

    /// <summary>A process was signalled.</summary>
    void Signalled(SocketHolder process, int signal)
    {
    }

    /// <summary>Something that is true of the round, not of one connection.</summary>
    void Message(Level level, string text)
    {
    }

    /// <summary>What was told so far has to be out before anything more is done.</summary>
    void Flush()
    {
    }

    /// <summary>The round is over.</summary>
    /// <param name="status">Its <see cref="ExitStatus"/>.</param>
    /// <param name="counts">What it came to.</param>
    /// <param name="time">How long it took.</param>
    /// <param name="isQuiet">Whether nothing happened that a reader of lines has to know.</param>
    void End(ExitStatus status, Counts counts, TimeSpan time, bool isQuiet)
    {
    }

    /// <summary>A service is over.</summary>
    void Totals(Counts totals, long rounds, TimeSpan time)
    {
    }
}
