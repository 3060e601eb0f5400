using System.Diagnostics;
using TcpCloser.Diag;
using TcpCloser.Interop;
using TcpCloser.Kill;
using TcpCloser.Report;
using TcpCloser.Rules;

namespace TcpCloser.Run;

/// <summary>
/// One pass: list the connections, keep the idle ones, close them, report. All candidates are collected before the first connection is
/// closed, and every result is recorded and reported at once.
/// </summary>
internal sealed class Round
{
    private readonly RunOptions _run;
    private readonly Func<IStopSource> _watchSignals;
    private readonly RoundStatus _status;
    private readonly Collector _collector;
    private readonly RoundReport _report;
    private readonly RoundContext _round;
    private readonly RuleLookup _lookup;
    private readonly NamespaceListing _listing;
    private readonly ScopeHints _hints;
    private readonly SendingWarning _sending;
    private readonly ICloseMethod _method;
    private readonly List<IStep> _steps;
    private readonly Preview _preview;
    private readonly Grouping? _grouping;

    /// <param name="watchSignals">Called before the first step; from then on, a signal requests a stop.</param>
    public Round(Rule rule, RunOptions run, Machine machine, List<IObserver> observers, Func<IStopSource> watchSignals)
    {
        (_run, _watchSignals) = (run, watchSignals);
        _status = new RoundStatus(rule);
        _collector = CollectorOf(rule, run, machine.Clock);
        _report = new RoundReport(Candidates, observers, _status);
        _round = new RoundContext(rule, machine, _report) { LeftAlone = _collector.LeftAlone };
        _lookup = new RuleLookup(rule, machine, _report);
        _listing = new NamespaceListing(new SelectionDump(Selection.Of(rule), machine.Dump), _lookup, _collector, _report)
        {
            Message = run.Verbose ? _report.Message : null,
            AreNamed = !rule.AllNetns,
        };
        _hints = new ScopeHints(rule, machine, _report.Message);
        _sending = new SendingWarning(isService: run.Interval is not null, _report.Message);
        _method = CloseMethods.Of(rule);
        _steps = CloseMethods.Steps(rule, run.GroupBy is null ? _method : null);
        _preview = new Preview(_method, _round, _report.Message);
        _grouping = run.GroupBy is { } key ? new Grouping(key, _method, Candidates, _status.Counts, _preview, _report, _round.Cgroups) : null;
    }

    /// <summary>Whether nothing is closed.</summary>
    public bool IsDryRun => _run.DryRun;

    /// <summary>The counts of the round.</summary>
    public Counts Counts => _status.Counts;

    private ConnectionList Candidates => _collector.Candidates;

    /// <summary>Checks which of the features that the rule needs this kernel and these privileges allow.</summary>
    public List<FeatureSupport> Check()
    {
        try
        {
            return new RuleCheck(_round.Rule, _round.Machine).Run(_lookup.FindNamespaces());
        }
        finally
        {
            _lookup.Close();
        }
    }

    private static Collector CollectorOf(Rule rule, RunOptions run, IClock clock)
    {
        DetailLevel level = run.ShowsDetails ? DetailLevel.TcpInfo : DetailLevel.Connection;
        MatchMemory? memory = rule.MatchedFor > TimeSpan.Zero ? new MatchMemory(rule.MatchedFor) : null;
        return new Collector(new IdleRule(rule), keepLeftAlone: run.ReportsLeftAlone || rule.Keep is not null, level, clock, memory)
        {
            KeepsSkipped = rule.Keep is not null || (rule.Limit is not null && run.DryRun),
        };
    }

    /// <summary>Runs the round.</summary>
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

        bool isQuiet = _run.Interval is not null && status == ExitStatus.Done && !Counts.IsNews;
        _report.End(status, Stopwatch.GetElapsedTime(started), isQuiet);
        return status;
    }

    private void Begin()
    {
        _status.Clear();
        _collector.Clear();
        _round.Holders.Clear();
        _round.Cgroups.BeginRound();
        _report.Begin(_round);
    }

    private ExitStatus Pass()
    {
        IReadOnlyList<NetworkNamespace> namespaces = _lookup.Find();
        bool isWhole = !_status.IsIncomplete;
        _status.IsNotPossible |= _listing.Run(namespaces);
        _collector.EndListing(isWhole);
        Counts.Matched = _collector.Matched;
        if (!_status.IsNotPossible)
        {
            _report.Listed();
        }

        ReportNotFound();
        _hints.Report(namespaces, _lookup, _collector, isQuiet: _run.Quiet || _status.IsIncomplete);
        if (_run.Verbose)
        {
            _preview.FindHolders(Candidates, _collector.LeftAlone);
        }

        for (int i = 0; i < _collector.LeftAlone.Count && _run.ReportsLeftAlone; i++)
        {
            _report.Report(_collector.LeftAlone, i);
        }

        if (Candidates.Count == 0)
        {
            return _status.Of(_run);
        }

        IStopSource stop = _round.Stop = _report.Stop = _watchSignals();
        foreach (IStep step in _steps)
        {
            if (step.Stage < Stage.Close)
            {
                _collector.KeepPending();
                if (_run.DryRun && step.Stage is Stage.Keep or Stage.Limit)
                {
                    _preview.FindHolders(Candidates, _collector.LeftAlone); // what the step leaves open is shown, too
                }

                step.Run(Candidates, _round);
            }
        }

        // If verdicts are counted, connections whose peers are not silent are needed, too.
        if (_grouping is null || !Counts.HasVerdicts)
        {
            _collector.KeepPending();
        }

        if (_grouping is not null)
        {
            return _grouping.Run(stop) ? _status.Of(_run) : ExitStatus.Incomplete;
        }

        if (stop.StopRequested())
        {
            return Interrupted(stop.StopSignal);
        }

        // No candidate is left, for example because all peers answered, so no holder has to be found in /proc.
        if (Candidates.Count == 0)
        {
            if (_run.DryRun)
            {
                _report.WouldClose(_method); // --keep and --limit may have left connections open
            }

            return _status.Of(_run);
        }

        return _preview.ExceedsMax(Candidates) ? Refuse()
            : _run.DryRun ? DryRun()
            : Close(stop);
    }

    /// <summary>Counts the connections that <c>--only</c> names and that did not match, and with <c>-v</c> logs each.</summary>
    private void ReportNotFound()
    {
        if (_lookup.NamedConnections is not { } named)
        {
            return;
        }

        Counts.NotFound = named.NotFound;
        for (int i = 0; i < named.Count && _run.Verbose; i++)
        {
            if (!named.IsFound(i))
            {
                _report.Message(Level.Debug, ConnectionText.DescribeNotFound(named, i));
            }
        }
    }

    private ExitStatus Close(IStopSource stop)
    {
        _sending.ReportIfAny(Candidates);
        try
        {
            _method.Run(Candidates, _round);
            ReportUnseenHolders();
        }
        catch (OutOfMemoryException)
        {
            // Some connections of the current batch may be closed, and it is unknown which.
            _report.CompleteRest(Outcome.Unknown, 0);
            throw;
        }

        return stop.StopRequested() ? Interrupted(stop.StopSignal) : _status.Of(_run);
    }

    /// <summary>
    /// If no visible process holds the sockets of some candidates, reports why their holders may be invisible. If no holder at all is
    /// visible, closing is not possible here.
    /// </summary>
    private void ReportUnseenHolders()
    {
        if (HolderVisibility.Of(Candidates, Outcome.NoOwner, _round.Machine) is { } visibility)
        {
            _report.Failed(visibility.Failure, isAll: !visibility.IsPartial);
        }
    }

    private ExitStatus Interrupted(int signal) => _report.Interrupt(signal) ? ExitStatus.Incomplete : _status.Of(_run);

    /// <summary>Shows the connections that would be closed, and those that could not be closed.</summary>
    private ExitStatus DryRun()
    {
        _sending.ReportIfAny(Candidates);
        _preview.Run(Candidates);
        for (int i = 0; i < Candidates.Count; i++)
        {
            Counts.Count(Candidates[i].Outcome);
        }

        ReportUnseenHolders();
        if (Counts.Failed > 0)
        {
            string failed = Candidates.Count == 1 ? "the only connection" : $"{Counts.Failed} of {Candidates.Count} connections";
            string closed = MethodName.Participle(_round.Rule.Method);
            string where = _run.DryRun || _run.Json ? "each row or record has the reason" : "-n shows them with the reason";
            _report.Message(Level.Error, $"{failed} could not be {closed} by {_method.Name}: {where}");
        }

        _report.WouldClose(_method);
        return _status.Of(_run);
    }

    /// <summary>
    /// Shows the refused connections as a dry run does, so that those that could not be closed anyway are marked as such.
    /// </summary>
    private ExitStatus Refuse()
    {
        _ = DryRun();
        return ExitStatus.Refused;
    }

    /// <summary>Aborts the round. Finished connections have been reported; the remaining candidates count as failed.</summary>
    private ExitStatus Abort(Exception e)
    {
        Counts.Matched = _collector.Matched; // the listing may have been aborted
        _report.CompleteRest(Outcome.Failed, e is SystemCallException failed ? failed.Failure.Errno : Errno.ENOMEM);
        if (e is SystemCallException call)
        {
            _report.Problem(call.Failure);
        }
        else
        {
            _status.IsIncomplete = true;
            _report.Message(Level.Error, "out of memory; the round was aborted");
        }

        return _status.Of(_run);
    }
}
