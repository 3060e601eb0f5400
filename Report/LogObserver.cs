using TcpCloser.Diag;
using TcpCloser.Interop;
using TcpCloser.Kill;
using TcpCloser.Proc;

namespace TcpCloser.Report;

/// <summary>Tells a round in log lines.</summary>
/// <param name="log">Where they go.</param>
/// <param name="verbose">Whether also what was left alone is told, and more of each.</param>
internal sealed class LogObserver(Log log, bool verbose) : IObserver
{
    /// <summary>When the batch under way was told: asking for the time is a tenth of a line, and what happened at once has one time.</summary>
    private DateTime? _batchTime;

    public void Begin()
    {
    }

    public void Completed(ConnectionList connections, int index)
    {
        ref Connection connection = ref connections[index];
        OutcomeInfo info = OutcomeInfo.Of(connection.Outcome);
        if (info.Level == Level.Debug && !verbose)
        {
            return;
        }

        _batchTime ??= DateTime.UtcNow;
        TextBuffer text = log.Begin(info.Level, _batchTime.Value).Add(info.Verb).AddEnds(connections, index).AddFacts(connections, index);
        if (info.ReasonFor(in connection) is { } reason)
        {
            text.Add(" reason=\""u8).Add(reason).Add("\""u8);
        }

        if (verbose && connections.Details.Count > 0)
        {
            text.AddDetail(connections.Details[index]);
        }

        log.End();
    }

    /// <summary>The table and the records say it.</summary>
    public void WouldClose(ConnectionList candidates, KillForecast? forecast)
    {
    }

    public void Signalled(SocketHolder process, int signal)
    {
        log.Begin(Level.Info).Add("sent "u8).Add(Signal.NameOf(signal)).Add(" to pid="u8).Add((ulong)process.Pid)
            .Add(" comm="u8).AddUntrusted(process.Comm).Add(" connections="u8).Add((ulong)process.Sockets.Count);
        log.End();
    }

    public void Message(Level level, string text)
    {
        if (level != Level.Debug || verbose)
        {
            log.Write(level, text);
        }
    }

    public void Flush()
    {
        _batchTime = null;
        log.Flush();
    }

    public void End(int status, Counts counts, TimeSpan time, bool isQuiet)
    {
        if (!isQuiet || verbose)
        {
            counts.Write(log.Begin(Level.Info).Add("summary "u8)).Add(" time="u8).Add((ulong)time.TotalMilliseconds).Add("ms"u8);
            log.End();
        }
    }

    public void Totals(Counts totals, long rounds, TimeSpan time)
    {
        totals.Write(log.Begin(Level.Info).Add("totals rounds="u8).Add((ulong)rounds).Add(" "u8))
            .Add(" time="u8).Add((ulong)time.TotalMilliseconds).Add("ms"u8);
        log.End();
    }
}
