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
internal sealed class Round
{
    private readonly Rule _rule;
    private readonly RunOptions _run;
    private readonly List<IObserver> _observers;
    private readonly Func<IStopSource> _watchSignals;
    private readonly RuleLookup _lookup;
    private readonly Collector _collector;
    private readonly SocketDump _dump = new();
    private readonly NamespaceListing _listing;
    private readonly ScopeHints _hints;
    private readonly SendingWarning _sending;
    private readonly Forecast _forecast;
    private readonly List<ICandidateFilter> _filters = [];
    private readonly ICloseMethod _method;
    private readonly RoundStatus _status = new();
    private readonly RoundReport _report;
    private bool _hasHinted;

    /// <param name="rule">What is to be closed, and how.</param>
    /// <param name="run">How the run goes about it.</param>
    /// <param name="machine">Where the sockets and the processes are.</param>
    /// <param name="observers">Hear of it.</param>
    /// <param name="watchSignals">Is called before the first candidate is looked at: what asks to stop from there on.</param>
    public Round(Rule rule, RunOptions run, Machine machine, List<IObserver> observers, Func<IStopSource> watchSignals)
    {
        (_rule, _run, _observers, _watchSignals) = (rule, run, observers, watchSignals);
        var idleRule = new IdleRule(rule);
        _collector = new Collector(idleRule, keepLeftAlone: run.Verbose || (run.Json && run.Interval is null && run.GroupBy is null),
            keepDetails: run.GroupBy is null && (run.Verbose || run.Json || run.DryRun));
        _report = new RoundReport(_collector.Candidates, observers, _status);
        _lookup = new RuleLookup(rule, machine, _report);
        _listing = new NamespaceListing(new SelectionDump(Selection.Of(rule), _dump), _lookup, _collector, _report, run.Verbose ? _report.Message : null);
        _hints = new ScopeHints(rule, machine, _dump, _report.Message);
        var order = new SearchOrder();
        _sending = new SendingWarning(isService: run.Interval is not null, _report.Message);
        _method = CloseMethods.Of(rule, idleRule, _dump, machine.Own, machine.OpenProcesses, order);
        _forecast = new Forecast(_method, _dump, machine.OpenProcesses, _report.Message);
        if (rule.SrcGone)
        {
            _filters.Add(new AddressGoneFilter());
        }

        if (run.GroupBy is not null)
        {
            return; // Nothing is closed, so nothing is to be kept from it.
        }

        if (!rule.IncludeOwnSession)
        {
            _filters.Add(new OwnSessionFilter(_dump, machine.OpenProcesses));
        }

        if (rule.Probe > TimeSpan.Zero)
        {
            _filters.Add(new PeerProbe(rule.Probe, machine.OpenProcesses, order));
        }

        if (_method.EndsWholeMptcp)
        {
            _filters.Add(new MptcpFilter(_dump));
        }
    }

    /// <summary>What the round came to.</summary>
    public Counts Counts => _status.Counts;

    private ConnectionList Candidates => _collector.Candidates;

    /// <summary>What becomes of a connection where all goes well.</summary>
    private string Closed => _rule.Method == Method.Keepalive ? "cured" : "closed";

    /// <summary>What this kernel and these privileges allow of the rule's method.</summary>
    public Ability Check() => _method.Check(_rule.Uids);

    /// <summary>Runs it.</summary>
    /// <returns>The exit status.</returns>
    public ExitStatus Run()
    {
        long started = Stopwatch.GetTimestamp();
        Begin();
        ExitStatus status;
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

    private void Begin()
    {
        _status.Clear();
        _collector.Clear();
        foreach (IObserver observer in _observers)
        {
            observer.Begin();
        }
    }

    private ExitStatus Pass()
    {
        IReadOnlyList<NetworkNamespace> namespaces = _lookup.Find();
        _status.IsNotPossible |= _listing.Run(namespaces);
        Counts.Matched = _collector.Matched;
        if (Counts.Matched == 0 && !_status.IsIncomplete && !_run.Quiet && !_hasHinted)
        {
            // Once: it is another walk over the kernel's whole table.
            _hasHinted = true;
            _hints.Tell(namespaces, _lookup);
        }

        if (_run.Verbose)
        {
            Candidates.Owners = _collector.LeftAlone.Owners = _forecast.FindOwners(Candidates, _collector.LeftAlone);
        }

        for (int i = 0; i < _collector.LeftAlone.Count; i++)
        {
            _report.Tell(_collector.LeftAlone, i);
        }

        if (Candidates.Count == 0)
        {
            return _status.Of(_run);
        }

        IStopSource stop = _report.Stop = _watchSignals();
        foreach (ICandidateFilter filter in _filters)
        {
            filter.Apply(Candidates, _report, stop.StopRequested);
            Candidates.KeepIdle();
        }

        if (stop.StopRequested())
        {
            return Interrupted(stop.StopSignal);
        }

        return _run.GroupBy is { } key ? Group(key)
            : IsRefused() ? Refuse()
            : _run.DryRun ? DryRun()
            : Close(stop);
    }

    private ExitStatus Close(IStopSource stop)
    {
        _sending.Tell(Candidates);
        try
        {
            _method.Close(Candidates, _report, stop.StopRequested);
        }
        catch (OutOfMemoryException)
        {
            // Of the batch under way some may be closed, and nobody can say which.
            _report.CompleteRest(Outcome.Unknown, 0);
            throw;
        }

        return stop.StopRequested() ? Interrupted(stop.StopSignal) : _status.Of(_run);
    }

    private ExitStatus Interrupted(int signal)
    {
        _report.CompleteRest(Outcome.NotReached, 0);
        _report.Message(Level.Warning, $"interrupted by {Signal.NameOf(signal)}: {Counts.NotReached} idle connections were not reached");
        return ExitStatus.Incomplete;
    }

    /// <summary>Counts the candidates by what they have in common.</summary>
    private ExitStatus Group(GroupKey key)
    {
        _forecast.PrepareGroups(Candidates, key);
        Counts.WouldClose = Candidates.Count;
        Show();
        return _status.Of(_run);
    }

    /// <summary>Shows what would be closed, and what of it could not be.</summary>
    private ExitStatus DryRun()
    {
        _sending.Tell(Candidates);
        _forecast.FindObstacles(Candidates);
        for (int i = 0; i < Candidates.Count; i++)
        {
            Counts.Count(Candidates[i].Outcome);
        }

        if (_method.EndsProcesses && Candidates.Owners is { Unjudged: { Count: > 0 } unjudged })
        {
            _report.Problem(unjudged.Operation, unjudged.Errno, unjudged.Subject);
        }

        if (Counts.Failed > 0)
        {
            _report.Message(Level.Error, $"{Counts.Failed} of them could not be {Closed} by {_method.Name}: each row or record says why");
        }

        Show();
        return _status.Of(_run);
    }

    private void Show()
    {
        foreach (IObserver observer in _observers)
        {
            observer.WouldClose(Candidates, _method);
            observer.Flush();
        }
    }

    /// <summary>Whether more would be closed than is allowed. Those count, too, that the processes would lose besides.</summary>
    private bool IsRefused()
    {
        if (_rule.Max is not { } max)
        {
            return false;
        }

        int others = _forecast.OthersLost(Candidates);
        if ((long)Candidates.Count + others <= max)
        {
            return false;
        }

        string besides = others > 0 ? $" and {others} more of the processes that hold them" : "";
        _report.Message(Level.Error, $"refused: {Candidates.Count} connections{besides} would be {Closed}, more than --max {max}; nothing was {Closed}");
        return true;
    }

    private ExitStatus Refuse()
    {
        if (_run.DryRun)
        {
            _ = DryRun();
        }
        else
        {
            Counts.WouldClose = Candidates.Count;
        }

        return ExitStatus.Refused;
    }

    /// <summary>The round could not go on. What was done has been told; what was not begun could not be closed.</summary>
    private ExitStatus Abort(Exception e)
    {
        _report.CompleteRest(Outcome.Failed, e is SystemCallException failed ? failed.Errno : Errno.ENOMEM);
        if (e is SystemCallException call)
        {
            _report.Problem(call.Operation, call.Errno, call.Subject);
        }
        else
        {
            _status.IsIncomplete = true;
            _report.Message(Level.Error, "out of memory; the round was aborted");
        }

        return _status.Of(_run);
    }
}
