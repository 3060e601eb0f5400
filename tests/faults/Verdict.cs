namespace TcpCloser.Faults;

/// <summary>Compares the report of a run with the actual state.</summary>
internal sealed partial class Verdict(Mode mode, Fault? fault, Run run, Truth truth)
{
    private const int Done = 0;
    private const int Incomplete = 1;
    private const int Usage = 2;
    private const int NotPossible = 3;
    private const int Refused = 4;
    private readonly List<string> _wrong = [];
    private readonly RunReport _log = RunReport.FromLog(run.Log);

    internal List<string> Judge()
    {
        JudgeEnd();
        JudgeStatus();
        JudgeOthers();
        WrongIf(mode.Purpose != Purpose.Close && truth.IsAnythingDone, "something was closed");
        if (!run.Died && run.ExitStatus != Usage)
        {
            JudgeReport();
        }

        return _wrong;
    }

    private void JudgeEnd()
    {
        WrongIf(run.Hung, "did not end");
        bool signalMayEndIt = fault is { IsSignal: true } && !truth.IsAnythingDone;
        WrongIf(run.Died && !run.Hung && !signalMayEndIt, $"ended by signal {run.ExitStatus - Run.FirstSignal}");
        WrongIf(run.Log.Contains("Unhandled") || run.Log.Contains("\n   at "), "stack trace");
        WrongIf(run.Log.Contains("unexpected error"), "unexpected error");
    }

    private void JudgeStatus()
    {
        switch (run.ExitStatus)
        {
            case Done:
                if (mode.Purpose == Purpose.Close && truth.Connections.ContainsValue(true) && !ClaimedAbsent)
                {
                    _wrong.Add("exit 0, but a matching connection is alive");
                }
                else if (mode.Purpose == Purpose.Refuse)
                {
                    _wrong.Add("exit 0, but more than --max match");
                }

                break;
            case Usage or NotPossible or Refused:
                WrongIf(truth.IsAnythingDone, $"exit {run.ExitStatus}, but something was closed or signalled");
                WrongIf(run.ExitStatus == Refused && mode.Purpose != Purpose.Refuse, "exit 4 without --max");
                break;
            case Incomplete:
                break;
            default:
                WrongIf(!run.Died, $"exit {run.ExitStatus}");
                break;
        }
        WrongIf(
            run.ExitStatus is Incomplete or Usage or NotPossible && !Problem().IsMatch(run.Log) && !IsWriteFault(logOnly: true) && mode.Name != "check",
            $"exit {run.ExitStatus} without a reason");
    }

    private void JudgeOthers()
    {
        foreach (string line in truth.Others)
        {
            _wrong.Add("closed although it does not match: " + line);
        }
        WrongIf(truth.OtherProcesses.ContainsValue(false), "ended a process that holds no matching connection");
    }

    private void JudgeReport()
    {
        if (mode.Purpose is Purpose.Other or Purpose.Refuse)
        {
            return;
        }

        if (mode.Purpose == Purpose.Show)
        {
            RunReport shown = mode.Json ? RunReport.FromRecords(run.Stdout) : RunReport.FromTable(run.Stdout);
            // A reader that closes the pipe early, such as head, has seen enough of a table; records without a summary are a failure.
            bool isReaderGone = !mode.Json && fault is { Name: "EPIPE" };
            WrongIf(
                run.ExitStatus == Done && !isReaderGone && !truth.Connections.Keys.All(connection => Says(shown, connection, Claim.WouldClose)),
                "exit 0, but not every connection is shown");
            return;
        }

        if (!IsWriteFault(logOnly: true))
        {
            Compare(_log, "log");
        }

        if (mode.Json && !IsWriteFault(logOnly: false))
        {
            try
            {
                Compare(RunReport.FromRecords(run.Stdout), "records");
            }
            catch (JsonException)
            {
                _wrong.Add("a record is not JSON");
            }
        }
    }

    private void Compare(RunReport report, string source)
    {
        foreach ((string connection, bool isOpen) in truth.Connections)
        {
            Statement[] said = [.. report.Of(connection)];
            string names = said.Length == 0 ? "nothing" : string.Join(',', said.Select(static statement => statement.Word));
            if (!isOpen && ClaimedClosed && said is [{ Claim: Claim.Vanished }])
            {
                continue;
            }

            bool isReportedClosed = Says(report, connection, Claim.Closed);
            bool isSlow = mode.Kills && (Array.Exists(said, static statement => statement.Word is "still_there" or "not_awaited") || report.NotAwaited > 0);
            if (!isOpen && !isReportedClosed && !isSlow && !Array.Exists(said, static statement => statement.Word == "unknown"))
            {
                _wrong.Add($"{source}: {connection} is closed, but reported: {names}");
            }
            else if (isOpen && isReportedClosed)
            {
                _wrong.Add($"{source}: {connection} is alive, but reported: {names}");
            }
            WrongIf(
                Array.Exists(said, static statement => statement.Claim is not (Claim.Closed or Claim.Failed or Claim.NotReached or Claim.WouldClose)),
                $"{source}: {connection} is reported as {names}");
            WrongIf(!mode.Service && said.Length > 1, $"{source}: {connection} is reported {said.Length} times: {names}");
        }

        foreach ((int pid, bool isAlive) in truth.Processes)
        {
            WrongIf(!isAlive && !report.Signalled.Contains(pid), $"{source}: process {pid} is dead, but no signal is reported");
        }

        CompareSummary(report, source);
    }

    private void CompareSummary(RunReport report, string source)
    {
        bool began = run.Log.Contains("Z info closing ");
        if (mode.Service)
        {
            return;
        }

        if (report.Summaries.Count != 1 && (began || report.Statements.Count > 0))
        {
            _wrong.Add($"{source}: {report.Summaries.Count} summaries");
            return;
        }

        int closed = truth.Connections.Keys.Count(connection => Says(report, connection, Claim.Closed));
        int notReached = truth.Connections.Keys.Count(connection => Says(report, connection, Claim.NotReached));
        int failed = truth.Connections.Keys.Count(connection => Says(report, connection, Claim.Failed)) + Math.Max(notReached, report.NotReached) + report.NotAwaited;
        Dictionary<string, long> summary = report.Summaries.LastOrDefault([]);
        if (began && (summary.GetValueOrDefault("closed") != closed || summary.GetValueOrDefault("failed") != failed))
        {
            string numbers = $"closed={summary.GetValueOrDefault("closed")} failed={summary.GetValueOrDefault("failed")}";
            _wrong.Add($"{source}: the summary has {numbers}, the lines have closed={closed} failed={failed}");
        }
        WrongIf(run.ExitStatus == Done && failed > 0, $"{source}: exit 0 with failed={failed}");
    }

    /// <summary>Whether a fault hid the process or interface to select by: the connection then rightly does not match.</summary>
    private bool ClaimedAbsent => mode.SelectsByName && fault is { Name: "ENOENT" or "ESRCH" or "ENODEV" };

    /// <summary>
    /// Whether a fault claimed that a descriptor is closed: its connection then ends with the process, but the program cannot know
    /// why.
    /// </summary>
    private bool ClaimedClosed => mode.Kills && fault is { Name: "ENOENT" or "ESRCH" }
        && (run.Trace.Injected ?? "").StartsWith("readlinkat", StringComparison.Ordinal);

    /// <summary>Whether writing failed permanently, so that lines or records are rightly missing (exit 1).</summary>
    private bool IsWriteFault(bool logOnly)
    {
        string injected = run.Trace.Injected ?? "";
        if (!injected.StartsWith("write", StringComparison.Ordinal) || fault is { IsSignal: true } or { Name: "EINTR" or "EAGAIN" })
        {
            return false;
        }
        bool records = injected.Contains("(1<");
        return logOnly ? !records : records;
    }

    private void WrongIf(bool isWrong, string finding)
    {
        if (isWrong)
        {
            _wrong.Add(finding);
        }
    }

    private static bool Says(RunReport report, string connection, Claim claim) => report.Of(connection).Any(statement => statement.Claim == claim);

    /// <summary>An error or a warning with the reason of a failure.</summary>
    [GeneratedRegex(@"Z (error|warning) |^tcp-closer: ", RegexOptions.Multiline)]
    private static partial Regex Problem();
}
