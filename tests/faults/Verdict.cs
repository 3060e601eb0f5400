namespace TcpCloser.Faults;

/// <summary>Compares what was told with what is true.</summary>
internal sealed class Verdict(Mode mode, Fault? fault, Run run, Truth truth)
{
    private const int Done = 0;
    private const int Incomplete = 1;
    private const int Usage = 2;
    private const int NotPossible = 3;
    private const int Refused = 4;

    private readonly List<string> _wrong = [];
    private readonly Told _log = Told.FromLog(run.Log);

    /// <summary>What is wrong; nothing: all is as it should be.</summary>
    internal List<string> Judge()
    {
        JudgeEnd();
        JudgeStatus();
        JudgeOthers();
        if (mode.Purpose != Purpose.Close && truth.IsAnythingDone)
        {
            _wrong.Add("something was closed");
        }

        if (!run.Died && run.ExitStatus != Usage)
        {
            JudgeTold();
        }

        return _wrong;
    }

    private void JudgeEnd()
    {
        if (run.Hung)
        {
            _wrong.Add("did not end");
        }

        bool signalMayEndIt = fault is { IsSignal: true } && !truth.IsAnythingDone;
        if (run.Died && !run.Hung && !signalMayEndIt)
        {
            _wrong.Add($"ended by signal {run.ExitStatus - Run.FirstSignal}");
        }

        if (run.Log.Contains("Unhandled", StringComparison.Ordinal) || run.Log.Contains("\n   at ", StringComparison.Ordinal))
        {
            _wrong.Add("stack trace");
        }

        if (run.Log.Contains("not foreseen", StringComparison.Ordinal))
        {
            _wrong.Add("not foreseen");
        }
    }

    private void JudgeStatus()
    {
        switch (run.ExitStatus)
        {
            case Done:
                if (mode.Purpose == Purpose.Close && truth.Connections.ContainsValue(true) && !SaidNotThere)
                {
                    _wrong.Add("exit 0, and a connection that matches lives");
                }
                else if (mode.Purpose == Purpose.Refuse)
                {
                    _wrong.Add("exit 0, and more than --max match");
                }

                break;
            case Usage or NotPossible or Refused:
                if (truth.IsAnythingDone)
                {
                    _wrong.Add($"exit {run.ExitStatus}, and something was closed or signalled");
                }

                if (run.ExitStatus == Refused && mode.Purpose != Purpose.Refuse)
                {
                    _wrong.Add("exit 4 without --max");
                }

                break;
            case Incomplete:
                break;
            default:
                if (!run.Died)
                {
                    _wrong.Add($"exit {run.ExitStatus}");
                }

                break;
        }

        if (run.ExitStatus is Incomplete or Usage or NotPossible && !_log.HasProblem && !IsBlind(logOnly: true) && mode.Name != "check")
        {
            _wrong.Add($"exit {run.ExitStatus} without a reason");
        }
    }

    private void JudgeOthers()
    {
        foreach (string line in truth.Others)
        {
            _wrong.Add("closed what does not match: " + line);
        }

        if (truth.OtherProcesses.ContainsValue(false))
        {
            _wrong.Add("ended a process that holds nothing that matches");
        }
    }

    private void JudgeTold()
    {
        if (mode.Purpose is Purpose.Look or Purpose.Refuse)
        {
            return;
        }

        if (mode.Purpose == Purpose.Show)
        {
            Told shown = mode.Json ? Told.FromRecords(run.Stdout) : Told.FromTable(run.Stdout);
            if (run.ExitStatus == Done && !truth.Connections.Keys.All(connection => shown.Of(connection).Contains(Outcome.WouldClose)))
            {
                _wrong.Add("exit 0, and not every connection is shown");
            }

            return;
        }

        if (!IsBlind(logOnly: true))
        {
            Compare(_log, "log");
        }

        if (mode.Json && !IsBlind(logOnly: false))
        {
            try
            {
                Compare(Told.FromRecords(run.Stdout), "records");
            }
            catch (System.Text.Json.JsonException)
            {
                _wrong.Add("a record is no JSON");
            }
        }
    }

    private void Compare(Told told, string who)
    {
        foreach ((string connection, bool isOpen) in truth.Connections)
        {
            IReadOnlyList<Outcome> outcomes = told.Of(connection);
            string said = outcomes.Count == 0 ? "nothing" : string.Join(',', outcomes);
            bool saidClosed = outcomes.Contains(Outcome.Closed);
            bool isSlow = mode.Kills && outcomes.Contains(Outcome.StillThere);
            if (!isOpen && !saidClosed && !isSlow && !outcomes.Contains(Outcome.Unknown))
            {
                _wrong.Add($"{who}: {connection} is closed, told: {said}");
            }
            else if (isOpen && saidClosed)
            {
                _wrong.Add($"{who}: {connection} lives, told: {said}");
            }

            if (outcomes.Contains(Outcome.Vanished) || outcomes.Contains(Outcome.Spared) || outcomes.Contains(Outcome.LeftAlone))
            {
                _wrong.Add($"{who}: {connection} is told as {said}");
            }

            if (!mode.Service && outcomes.Count > 1)
            {
                _wrong.Add($"{who}: {connection} is told {outcomes.Count} times: {said}");
            }
        }

        foreach ((int pid, bool isAlive) in truth.Processes)
        {
            if (!isAlive && !told.Signalled.Contains(pid))
            {
                _wrong.Add($"{who}: process {pid} is dead, and no signal is told");
            }
        }

        CompareSummary(told, who);
    }

    private void CompareSummary(Told told, string who)
    {
        bool began = run.Log.Contains("Z info closing ", StringComparison.Ordinal);
        if (mode.Service)
        {
            return;
        }

        if (told.Summaries != 1 && (began || told.Connections.Any()))
        {
            _wrong.Add($"{who}: {told.Summaries} summaries");
            return;
        }

        int closed = truth.Connections.Keys.Count(connection => told.Of(connection).Contains(Outcome.Closed));
        int failed = truth.Connections.Keys.Count(connection => told.Of(connection).Any(static o => o is Outcome.Failed or Outcome.StillThere or Outcome.Unknown or Outcome.NotReached));
        if (began && (told.Summary.GetValueOrDefault("closed") != closed || told.Summary.GetValueOrDefault("failed") != failed))
        {
            _wrong.Add($"{who}: the summary says closed={told.Summary.GetValueOrDefault("closed")} failed={told.Summary.GetValueOrDefault("failed")}, " +
                $"the lines closed={closed} failed={failed}");
        }

        if (run.ExitStatus == Done && failed > 0)
        {
            _wrong.Add($"{who}: exit 0 with failed={failed}");
        }
    }

    /// <summary>Whether what a connection is selected by was said not to be there (any more): then it rightly does not match.</summary>
    private bool SaidNotThere => mode.SelectsByName && fault is { Name: "ENOENT" or "ESRCH" or "ENODEV" };

    /// <summary>Whether it was the writing itself that failed for good, so that a line or a record is rightly missing; then that is exit 1.</summary>
    private bool IsBlind(bool logOnly)
    {
        string injected = run.Trace.Injected ?? "";
        if (!injected.StartsWith("write", StringComparison.Ordinal) || fault is { IsSignal: true } or { Name: "EINTR" or "EAGAIN" })
        {
            return false;
        }

        bool records = injected.Contains("(1<", StringComparison.Ordinal);
        return logOnly ? !records : records;
    }
}
