using TcpCloser.Diag;
using TcpCloser.Interop;
using TcpCloser.Proc;

namespace TcpCloser.Report;

/// <summary>Tells a round in log lines. What a service told in the round before is not told again, but counted.</summary>
/// <param name="log">Where they go.</param>
/// <param name="isService">Whether rounds follow each other.</param>
internal sealed class LogObserver(Log log, bool isService) : IObserver
{
    private readonly Repeats _repeats = new(isService && !log.Writes(Level.Debug));
    private bool _hasNews;

    public void Begin()
    {
        _repeats.BeginRound();
        _hasNews = false;
    }

    public void Completed(ConnectionList connections, int index)
    {
        ref Connection connection = ref connections[index];
        OutcomeInfo info = OutcomeInfo.Of(connection.Outcome);
        if (!log.Writes(info.Level) || (info.Counted is not (Counted.Closed or Counted.Cured or Counted.Vanished) && _repeats.IsRepeated(connection.Cookie, connection.Outcome)))
        {
            return;
        }

        _hasNews = true;
        TextBuffer text = log.Begin(info.Level).Add(info.Verb).AddEnds(connections, index).AddFacts(connections, index).AddOwners(connections, index);
        if (info.ReasonFor(in connection) is { } reason)
        {
            text.Add(" reason=\""u8).Add(reason).Add("\""u8);
        }

        if (log.Writes(Level.Debug) && connections.Details.Count > 0)
        {
            text.AddDetail(connections.Details[index]);
        }

        log.End();
    }

    public void Signalled(SocketHolder process, int signal)
    {
        _hasNews = true;
        if (log.Writes(Level.Info))
        {
            log.Begin(Level.Info).Add("sent "u8).Add(Signal.NameOf(signal)).Add(" to pid="u8).Add((ulong)process.Pid)
                .Add(" comm="u8).AddUntrusted(process.Comm).Add(" connections="u8).Add((ulong)process.Sockets.Count);
            log.End();
        }
    }

    public void Message(Level level, string text)
    {
        if (log.Writes(level) && !_repeats.IsRepeated(text))
        {
            _hasNews = true;
            log.Write(level, text);
        }
    }

    public void Flush() => log.Flush();

    public void End(ExitStatus status, Counts counts, TimeSpan time, bool isQuiet)
    {
        bool isTold = !isQuiet && (_hasNews || !isService);
        if (log.Writes(isTold ? Level.Info : Level.Debug))
        {
            counts.Write(log.Begin(Level.Info).Add("summary "u8)).Add(" time="u8).Add((ulong)time.TotalMilliseconds).Add("ms"u8);
            log.End();
        }
    }

    public void Totals(Counts totals, long rounds, TimeSpan time)
    {
        if (log.Writes(Level.Info))
        {
            totals.Write(log.Begin(Level.Info).Add("totals rounds="u8).Add((ulong)rounds).Add(" "u8))
                .Add(" time="u8).Add((ulong)time.TotalMilliseconds).Add("ms repeated="u8).Add((ulong)_repeats.Count);
            log.End();
        }
    }
}
