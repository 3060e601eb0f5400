using TcpCloser.Diag;
using TcpCloser.Interop;
using TcpCloser.Kill;
using TcpCloser.Proc;
using TcpCloser.Rules;

namespace TcpCloser.Report;

/// <summary>
/// Logs a round. Each connection's line is <c>verb LOCAL -> PEER key=value …</c>, where awk(1) finds the endpoints in the same fields of
/// every line. A service does not log a problem again that the round before also had; it counts such repetitions.
/// </summary>
/// <param name="isService">Whether rounds follow each other.</param>
/// <param name="logsDryRun">Whether connections that would be closed have lines: those of a service, for which a table is no record.</param>
internal sealed class LogObserver(Log log, bool isService, bool logsDryRun = false) : IObserver
{
    private readonly Repeats _repeats = new(isService && !log.Writes(Level.Debug));
    private RoundContext? _round;
    private bool _hasNews;

    public void Begin(RoundContext round)
    {
        _round = round;
        _repeats.BeginRound();
        _hasNews = false;
    }

    public void WouldClose(ConnectionList candidates, ICloseMethod method)
    {
        for (int i = 0; i < candidates.Count && logsDryRun; i++)
        {
            WriteLine(candidates, i, isKeepalive: method is KeepaliveMethod);
        }
    }

    public void Completed(ConnectionList connections, int index) => WriteLine(connections, index, isKeepalive: false);

    /// <param name="isKeepalive">Whether a connection that would be closed would be given keepalive instead.</param>
    private void WriteLine(ConnectionList connections, int index, bool isKeepalive)
    {
        ref Connection connection = ref connections[index];
        OutcomeInfo info = OutcomeInfo.Of(connection.Outcome);
        if (!log.Writes(info.Level) || IsSummedUp(connection.Outcome)
            || (info.Counted is not (Counted.Closed or Counted.Cured or Counted.Vanished) && _repeats.IsRepeated(connection.Cookie, connection.Outcome)))
        {
            return;
        }

        _hasNews = true;
        TextBuffer text = log.Begin(info.Level).Add(isKeepalive && connection.Outcome == Outcome.Pending ? "would-cure"u8 : info.Verb).Add(" "u8)
            .AddEnds(connections, index).AddFacts(connections, index, _round?.NameOfCgroup(connections, index) ?? CgroupName.Unknown)
            .AddHolders(_round?.Holders, connection.Inode);
        info.AddReason(text, in connection);
        if (log.Writes(Level.Debug))
        {
            text.Add(" cookie="u8).AddHexadecimal(connection.Cookie);
        }

        if (log.Writes(Level.Debug) && connections.Level == DetailLevel.TcpInfo)
        {
            text.AddDetail(connections.Details[index]);
        }

        log.End();
    }

    /// <summary>One line counts what an interrupted run did not finish; with -v, each connection also has its own line.</summary>
    private bool IsSummedUp(Outcome outcome) => outcome is Outcome.NotReached or Outcome.NotAwaited && !log.Writes(Level.Debug);

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
        bool isLogged = !isQuiet && (_hasNews || !isService);
        if (log.Writes(isLogged ? Level.Info : Level.Debug))
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

/// <summary>
/// What the last round and this one have reported so far: a service that fails in the same way in each round, or in several network
/// namespaces, reports it once, until the failure changes.
/// </summary>
/// <param name="isOn">Whether anything counts as repeated.</param>
internal sealed class Repeats(bool isOn)
{
    private HashSet<string> _texts = [];
    private HashSet<string> _textsBefore = [];
    private HashSet<ulong> _connections = [];
    private HashSet<ulong> _connectionsBefore = [];

    /// <summary>How many times something was repeated.</summary>
    public long Count { get; private set; }

    public void BeginRound()
    {
        (_texts, _textsBefore) = (_textsBefore, _texts);
        (_connections, _connectionsBefore) = (_connectionsBefore, _connections);
        _texts.Clear();
        _connections.Clear();
    }

    public bool IsRepeated(string text) => isOn && Counted(!_texts.Add(text) || _textsBefore.Contains(text));

    public bool IsRepeated(ulong cookie, Outcome outcome)
    {
        // The kernel counts its cookies up from 1, so the highest byte is free for the outcome.
        ulong key = cookie ^ (ulong)outcome << 56;
        return isOn && Counted(!_connections.Add(key) || _connectionsBefore.Contains(key));
    }

    private bool Counted(bool isRepeated)
    {
        Count += isRepeated ? 1 : 0;
        return isRepeated;
    }
}
