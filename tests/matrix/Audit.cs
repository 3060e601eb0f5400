namespace TcpCloser.Matrix;

/// <summary>Compares what a run did and reported with what its connections and processes saw, and with what the model expects.</summary>
internal sealed partial class Audit
{
    private const int Refused = 4;
    private const int FirstSignal = 128;

    /// <summary>Allowed in addition to the probe time, on a machine that runs many rows at once.</summary>
    private static readonly TimeSpan s_slack = TimeSpan.FromSeconds(8);
    private readonly Row _row;
    private readonly Model _model;
    private readonly Scene _scene;
    private readonly Findings _findings;
    private readonly TruthAudit _truth;
    private readonly StatementAudit _statements;

    internal Audit(Row row, Scene scene, Findings findings)
    {
        (_row, _scene, _findings, _model) = (row, scene, findings, new Model(row));
        _truth = new TruthAudit(row, _model, scene, findings);
        _statements = new StatementAudit(row, _model, scene, findings);
    }

    /// <summary>Whether closing is the only acceptable fate of the dead.</summary>
    internal bool MustClose => _model.Dead is [Fate.Closed] && !_model.IsRefused && !_row.IsDryOnly;

    /// <summary>Waits until the dead are closed; false if the time is over or the run has ended.</summary>
    internal bool AwaitClosed(TimeSpan limit, Func<bool> hasEnded) => _truth.AwaitClosed(limit, hasEnded);

    /// <summary>Judges a single run, and returns its report.</summary>
    internal RunReport JudgeRun(ToolResult result, bool isDry)
    {
        string run = isDry ? "dry run: " : "";
        JudgeEnd(result, isDry ? _model.DryStatuses : _model.Statuses, run);
        _findings.AddIf(result.Status >= 0 && result.Time > _row.ProbeTime + s_slack, $"{run}took {result.Time.TotalSeconds:0.0} s");
        RunReport log = RunReport.FromLog(result.Stderr);
        RunReport report = ReadReport(result, isDry, log);
        bool isRefused = _model.IsRefused || result.Status == Refused;
        _truth.Judge(isDry || isRefused, report.Signalled, run);
        _statements.Judge(report, isDry, isRefused, mayOmitSkipped: _row.Report == "text", run);
        if (!ReferenceEquals(report, log) && !isDry)
        {
            _statements.Judge(log, isDry, isRefused, mayOmitSkipped: _row.Report != "verbose", run + "log: ");
        }

        if (result.Status is >= 0 and not 2)
        {
            JudgeSummary(report, log, isDry, isRefused, run);
        }

        return report;
    }

    /// <summary>Judges <c>--group-by unit</c>, which needs no privilege: every connection that matches is in the group of its unit.</summary>
    internal void JudgeGroups(ToolResult result, string unit)
    {
        const string Run = "groups: ";
        JudgeEnd(result, [0], Run);
        int expected = _scene.Dead.Concat(_scene.Living).Sum(static group => group.Subjects.Count);
        string[] groups =
        [
            .. result.Stdout.Split('\n', StringSplitOptions.RemoveEmptyEntries).Skip(1)
                .Select(static row => string.Join(' ', row.Split(' ', StringSplitOptions.RemoveEmptyEntries).Take(2))),
        ];
        _findings.AddIf(groups is not [string group] || group != $"{unit} {expected}",
            $"{Run}expected {unit} {expected}, got {string.Join(", ", groups)}");
    }

    /// <summary>Checks that the run does what the dry run before it promised.</summary>
    internal void Compare(RunReport dry, RunReport real) => _statements.Compare(dry, real);

    /// <summary>Judges a service that was ended by SIGTERM, or that ended by itself.</summary>
    internal void JudgeService(ToolResult result, bool isComplete)
    {
        const string Run = "service: ";
        JudgeEnd(result, _model.ServiceStatuses, Run);
        bool hasGivenUp = result.Status > 0;
        _findings.AddIf(!hasGivenUp && !isComplete, "service: did not complete its rounds");
        RunReport log = RunReport.FromLog(result.Stderr);
        RunReport report = ReadReport(result, _row.IsDryOnly, log);
        _truth.Judge(_row.IsDryOnly || _model.IsRefused || hasGivenUp, report.Signalled, Run);
        if (!hasGivenUp)
        {
            _statements.Judge(report, _row.IsDryOnly, _model.MayBeRefused, mayOmitSkipped: true, Run);
            _statements.CompareRounds(report);
            JudgeTotals(report, log);
        }

        JudgeRepetition(result.Stderr);
    }

    private RunReport ReadReport(ToolResult result, bool isDry, RunReport log)
    {
        try
        {
            return _row.Report != "text" ? RunReport.FromRecords(result.Stdout) : isDry && !_row.IsService ? RunReport.FromTable(result.Stdout) : log;
        }
        catch (JsonException failure)
        {
            _findings.Add($"a record is not JSON: {failure.Message}");
            return log;
        }
    }

    private void JudgeEnd(ToolResult result, IReadOnlyList<int> expected, string run)
    {
        if (result.Status < 0)
        {
            _findings.Add($"{run}did not end within {result.Time.TotalSeconds:0} s");
            return;
        }
        _findings.AddIf(!expected.Contains(result.Status), $"{run}exit {result.Status}, expected {string.Join(" or ", expected)}");
        string[] lines = result.Stderr.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        _findings.AddIf(result.Status >= FirstSignal || Array.Exists(lines, static line => CrashLine().IsMatch(line)),
            $"{run}crashed: {lines.LastOrDefault()}");
        string? error = Array.Find(lines, static line => ErrorLine().IsMatch(line));
        if (result.Status > 0 && error is null)
        {
            _findings.Add($"{run}exit {result.Status} without a reason");
        }
        else if (result.Status == 0 && error is not null && !_row.IsService)
        {
            _findings.Add($"{run}exit 0 with an error: {error}");
        }
    }

    /// <summary>Checks that the log, the records and the actual matches have the same numbers.</summary>
    private void JudgeSummary(RunReport report, RunReport log, bool isDry, bool isRefused, string run)
    {
        if (log.Summaries.Count != 1 || (_row.Report != "text" && report.Summaries.Count != 1))
        {
            _findings.Add($"{run}{log.Summaries.Count} summaries in the log, {report.Summaries.Count} in the records");
            return;
        }

        Dictionary<string, long> summary = log.Summaries[0];
        if (_row.Report != "text")
        {
            CompareNumbers(summary, report.Summaries[0], run + "the summary");
        }

        bool mayBeUnseen = _model.Dead.Contains(Fate.NotSeen);
        long dead = _scene.Dead.Where(_model.Searches).Sum(static group => group.Subjects.Count);
        long living = _scene.Living.Where(_model.Searches).Sum(static group => group.Subjects.Count);
        if (!mayBeUnseen || summary.GetValueOrDefault("matched") != dead + living)
        {
            ExpectNumber(summary, "matched", mayBeUnseen ? 0 : dead + living, run);
        }

        long closed = Count(Claim.Closed), cured = Count(Claim.Cured), failed = Count(Claim.Failed);
        ExpectNumber(summary, "closed", closed, run);
        ExpectNumber(summary, "cured", cured, run);
        if (!isRefused || _row.Report != "text" || isDry)
        {
            ExpectNumber(summary, "failed", failed, run); // a refused run has no rows for what it could not close: -n has
        }

        ExpectNumber(summary, "vanished", 0, run);
        ExpectNumber(summary, "spared", 0, run);
        ExpectNumber(summary, "idle", isRefused ? dead : closed + cured + failed + Count(Claim.WouldClose), run);
        if (_row.Probes && _row.Connection == "established" && !mayBeUnseen)
        {
            bool isUnasked = _model.Dead is [Fate.Unasked];
            ExpectNumber(summary, "answered", isUnasked ? 0 : living, run);
            ExpectNumber(summary, "unasked", isUnasked ? dead + living : 0, run);
        }

        long Count(Claim claim) => report.Statements.Count(statement => statement.Claim == claim);
    }

    /// <summary>Checks that the totals of a service are what it did.</summary>
    private void JudgeTotals(RunReport report, RunReport log)
    {
        if (log.Totals is null || report.Totals is null)
        {
            _findings.Add("service: no totals");
            return;
        }

        CompareNumbers(log.Totals, report.Totals, "service: the totals");
        ExpectNumber(log.Totals, "closed", _scene.Dead.SelectMany(static group => group.Truths()).Count(static truth => truth == Truth.Closed), "service: totals: ");
    }

    /// <summary>Checks that a failure that repeats in each round is logged once; -v logs everything each time.</summary>
    private void JudgeRepetition(string log)
    {
        IGrouping<string, string>? repeated = log.Split('\n')
            .Select(static line => RunReport.LogLine().Match(line))
            .Where(static match => match.Success)
            .Select(static match => Ages().Replace(match.Groups["message"].Value, "$1"))
            .Where(static message => !message.StartsWith("summary ", StringComparison.Ordinal) && !message.StartsWith("totals ", StringComparison.Ordinal))
            .GroupBy(static message => message)
            .FirstOrDefault(static group => group.Count() > 1);
        if (repeated is not null && _row.Report != "verbose")
        {
            _findings.Add($"service: logged {repeated.Count()} times: {repeated.Key}");
        }
    }

    /// <summary>Checks a number; a missing number is zero.</summary>
    private void ExpectNumber(Dictionary<string, long> numbers, string name, long expected, string run)
    {
        _findings.AddIf(numbers.GetValueOrDefault(name) != expected,
            $"{run}the summary has {name}={numbers.GetValueOrDefault(name)}, expected {expected}");
    }

    private void CompareNumbers(Dictionary<string, long> log, Dictionary<string, long> record, string what)
    {
        foreach ((string name, long number) in log.Where(static pair => pair.Key is not ("time" or "repeated")))
        {
            _findings.AddIf(record.GetValueOrDefault(name, -1) != number,
                $"{what} in the log has {name}={number}, in the records {record.GetValueOrDefault(name, -1)}");
        }
    }

    [GeneratedRegex(@"^(\S+Z )?error |^(tcp-closer|setpriv|nsenter|unshare|env|mount): ")]
    private static partial Regex ErrorLine();

    [GeneratedRegex(@"unexpected error|Unhandled|^   at ")]
    private static partial Regex CrashLine();

    [GeneratedRegex(@"\b(idle=)\d+ms")]
    private static partial Regex Ages();
}
