using System.Diagnostics;
using TcpCloser.Cli;
using TcpCloser.Diag;
using TcpCloser.Interop;
using TcpCloser.Kill;
using TcpCloser.Proc;
using TcpCloser.Report;

namespace TcpCloser;

/// <summary>
/// One pass: ask the kernel, keep what is idle, close it, tell. Everything asked for is held before the first connection is
/// closed, and every result is written down and told as it comes.
/// </summary>
internal sealed class Round : IResultSink
{
    private readonly Rule _rule;
    private readonly RunOptions _run;
    private readonly IReadOnlyList<IObserver> _observers;
    private readonly Func<IStopSource> _watchSignals;
    private readonly RuleLookup _lookup;
    private readonly Collector _collector;
    private readonly SelectionDump _dump;
    private readonly List<ICandidateFilter> _filters = [];
    private readonly ICloseMethod _method;
    private readonly RoundStatus _status = new();
    private IStopSource? _stop;

    /// <param name="rule">What is to be closed, and how.</param>
    /// <param name="run">How the run goes about it.</param>
    /// <param name="machine">Where the sockets and the processes are.</param>
    /// <param name="observers">Hear of it.</param>
    /// <param name="watchSignals">Is called before the first candidate is looked at: what asks to stop from there on.</param>
    public Round(Rule rule, RunOptions run, Machine machine, IReadOnlyList<IObserver> observers, Func<IStopSource> watchSignals)
    {
        (_rule, _run, _observers, _watchSignals) = (rule, run, observers, watchSignals);
        var dump = new SocketDump();
        var idleRule = new IdleRule(rule);
        _lookup = new RuleLookup(rule, machine, Message, Problem, Incomplete);
        _collector = new Collector(idleRule, keepLeftAlone: run.Verbose || (run.Json && run.Interval is null), keepDetails: run.Verbose || run.Json);
        _dump = new SelectionDump(Selection.Of(rule), dump);
        _method = CloseMethods.Of(rule, idleRule, dump, machine);
        if (rule.SrcGone)
        {
            _filters.Add(new AddressGoneFilter());
        }

        if (!rule.IncludeOwnSession)
        {
            _filters.Add(new OwnSessionFilter(dump, machine.OpenProcesses));
        }

        if (rule.Probe > TimeSpan.Zero)
        {
            _filters.Add(new PeerProbe(rule.Probe, machine.OpenProcesses));
        }

        if (_method.EndsWholeMptcp)
        {
            _filters.Add(new MptcpFilter(dump));
        }
    }

    /// <summary>What the round came to.</summary>
    public Counts Counts => _status.Counts;

    private ConnectionList Candidates => _collector.Candidates;

    /// <summary>What this kernel and these privileges allow of the rule's method.</summary>
    public Ability Check() => _method.Check(_rule.Uids);

    /// <summary>Runs it.</summary>
    /// <returns>The exit status.</returns>
    public int Run()
    {
        long started = Stopwatch.GetTimestamp();
        Begin();
        int status;
        try
        {
            status = Pass();
        }
        catch (Exception e) when (e is SystemCallException or OutOfMemoryException)
        {
            status = Abort(e);
        }
        finally
        {
            _lookup.Close();
        }

        foreach (IObserver observer in _observers)
        {
            observer.End(status, Counts, Stopwatch.GetElapsedTime(started), isQuiet: _run.Interval is not null && status == ExitStatus.Done && !Counts.IsNews);
            observer.Flush();
        }

        return status;
    }

    public void Completed(ReadOnlySpan<Result> results)
    {
        foreach (Result result in results)
        {
            ref Connection connection = ref Candidates[result.Index];
            connection.Outcome = result.Outcome;
            connection.Errno = (ushort)result.Errno;
            Tell(Candidates, result.Index);
        }

        Flush();
    }

    public void Signalled(SocketHolder process, int signal)
    {
        _status.HasSignalled = true;
        foreach (IObserver observer in _observers)
        {
            observer.Signalled(process, signal);
        }

        Flush();
    }

    public void Problem(Operation operation, int errno, string? subject)
    {
        _status.IsNotPossible |= Remedies.IsNotPossible(operation, errno);
        Incomplete(operation, errno, subject);
    }

    public void Incomplete(Operation operation, int errno, string? subject)
    {
        _status.IsIncomplete = true;
        Message(Level.Error, Remedies.Describe(operation, errno, subject));
    }

    public void Notice(string text) => Message(Level.Warning, text);

    private void Begin()
    {
        _status.Clear();
        _collector.Clear();
        foreach (IObserver observer in _observers)
        {
            observer.Begin();
        }
    }

    private int Pass()
    {
        LookInto(_lookup.Find());

        Counts.Matched = _collector.Matched;
        for (int i = 0; i < _collector.LeftAlone.Count; i++)
        {
            Tell(_collector.LeftAlone, i);
        }

        if (Candidates.Count == 0)
        {
            return _status.Of(_run);
        }

        IStopSource stop = _stop = _watchSignals();
        foreach (ICandidateFilter filter in _filters)
        {
            filter.Apply(Candidates, this, stop.StopRequested);
            Candidates.KeepIdle();
        }

        if (stop.StopRequested())
        {
            return Interrupted(stop.StopSignal);
        }

        bool refused = _run.DryRun || _rule.Max is not null ? Forecast() : false;
        if (refused || _run.DryRun)
        {
            Counts.WouldClose = Candidates.Count;
            return refused ? ExitStatus.Refused : _status.Of(_run);
        }

        _method.Close(Candidates, this, stop.StopRequested);
        return stop.StopRequested() ? Interrupted(stop.StopSignal) : _status.Of(_run);
    }

    private int Interrupted(int signal)
    {
        CompleteRest(Outcome.NotReached, 0);
        Message(Level.Warning, $"interrupted by {Signal.NameOf(signal)}: {Counts.NotReached} idle connections were not reached");
        return ExitStatus.Incomplete;
    }

    /// <summary>Lists the namespaces. One that fails is told, and the others go on; only where all fail it is not possible here.</summary>
    private void LookInto(IReadOnlyList<NetworkNamespace> namespaces)
    {
        bool anyListed = false;
        bool anyNotPossible = false;
        foreach (NetworkNamespace network in namespaces)
        {
            SystemCallException? e = Look(network);
            anyListed |= e is null;
            anyNotPossible |= e is not null && Remedies.IsNotPossible(e.Operation, e.Errno);
        }

        _status.IsNotPossible |= anyNotPossible && !anyListed;
    }

    /// <summary>Returns why a namespace that has a name could not be listed; null: it was.</summary>
    private SystemCallException? Look(NetworkNamespace network)
    {
        try
        {
            byte[] bytecode = _dump.Run(network, _lookup.ContextOf(network), _collector);
            if (_collector.HasUndecided)
            {
                Problem(Operation.MatchMarkOrCgroup, Errno.EOPNOTSUPP, network.Description);
            }

            if (_run.Verbose)
            {
                TellFilter(bytecode);
            }

            return null;
        }
        catch (SystemCallException e) when (network.Name is not null)
        {
            Incomplete(e.Operation, e.Errno, e.Subject ?? network.Description);
            return e;
        }
    }

    private void TellFilter(byte[] bytecode)
    {
        if (_dump.Interrupted)
        {
            Message(Level.Debug, "the kernel's table changed while it was listed: connections may be missing in this round");
        }

        Message(Level.Debug, $"filter of {bytecode.Length} bytes");
        foreach (string line in Disassembler.Lines(bytecode))
        {
            Message(Level.Debug, "filter " + line);
        }
    }

    /// <summary>Shows what would be closed, in a dry run. Returns whether it is more than is allowed.</summary>
    private bool Forecast()
    {
        KillForecast? forecast = Candidates.Count > 0 ? _method.Forecast(Candidates) : null;
        if (_run.DryRun)
        {
            foreach (IObserver observer in _observers)
            {
                observer.WouldClose(Candidates, forecast);
                observer.Flush();
            }
        }

        int others = forecast?.OtherConnections ?? 0;
        if (_rule.Max is not { } max || (long)Candidates.Count + others <= max)
        {
            return false;
        }

        string besides = others > 0 ? $" and {others} more of the processes that hold them" : "";
        Message(Level.Error, $"refused: {Candidates.Count} connections{besides} would be closed, more than --max {max}; nothing was closed");
        return true;
    }

    /// <summary>The round could not go on. What was done has been told; what was not begun could not be closed.</summary>
    private int Abort(Exception e)
    {
        CompleteRest(Outcome.Failed, e is SystemCallException failed ? failed.Errno : Errno.ENOMEM);
        if (e is SystemCallException call)
        {
            Problem(call.Operation, call.Errno, call.Subject);
        }
        else
        {
            _status.IsIncomplete = true;
            Message(Level.Error, "out of memory; the round was aborted");
        }

        return _status.Of(_run);
    }

    /// <summary>Tells of the candidates of which nothing was told yet.</summary>
    private void CompleteRest(Outcome outcome, int errno)
    {
        for (int i = 0; i < Candidates.Count; i++)
        {
            if (Candidates[i].Outcome == Outcome.Idle)
            {
                Candidates[i].Outcome = outcome;
                Candidates[i].Errno = (ushort)errno;
                Tell(Candidates, i);
            }
        }
    }

    private void Tell(ConnectionList connections, int index)
    {
        Counts.Count(connections[index].Outcome);
        foreach (IObserver observer in _observers)
        {
            observer.Completed(connections, index);
        }
    }

    private void Message(Level level, string text)
    {
        foreach (IObserver observer in _observers)
        {
            observer.Message(level, text);
        }
    }

    /// <summary>What was told is out before anything more is done.</summary>
    private void Flush()
    {
        foreach (IObserver observer in _observers)
        {
            observer.Flush();
        }

        _stop?.HangUp();
    }
}
