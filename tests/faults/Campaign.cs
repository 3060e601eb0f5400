namespace TcpCloser.Faults;

/// <summary>Injects every fault of one mode, one after the other.</summary>
internal sealed class Campaign(Mode mode, bool all, string only)
{
    private const int OccurrencesOfAll = 12;
    private const int LinesShown = 12;
    private readonly List<string> _kindsSeen = [];
    private int _injections;
    private int _wrong;
    private int _notReached;

    /// <summary>Runs the mode and prints the findings. Returns whether there are none.</summary>
    internal bool Execute()
    {
        long started = Stopwatch.GetTimestamp();
        string directory = Directory.CreateTempSubdirectory("tcp-closer-faults-").FullName;
        HashSet<string> kinds = Modes.Find(mode.VariantOf) is { } basis ? KindsOf(basis, directory) : [];
        using (Stage stage = new(mode))
        {
            Tool tool = new(mode, stage, directory);
            stage.Prepare();
            Run recorded = tool.Record();
            Truth truth = stage.Look();
            stage.GiveUp();
            if (!recorded.Trace.ReachedMain || new Verdict(mode, null, recorded, truth).Judge() is { Count: > 0 })
            {
                Show("without any fault", recorded, new Verdict(mode, null, recorded, truth).Judge());
                Console.WriteLine("0 passed, 1 failed, 0 skipped");
                return false;
            }

            foreach (Call call in recorded.Trace.First(all ? OccurrencesOfAll : mode.Occurrences, mode.From))
            {
                // The program distinguishes errors in the same way at each call of a kind. What it must do then depends on what it did
                // before, so each call still fails once, and is interrupted once.
                bool needsEveryError = kinds.Add(call.Kind) || all || only.Length > 0 || mode.From.Length > 0;
                Fault[] faults = [.. PlausibleFaults.Of(call)];
                foreach (Fault fault in needsEveryError ? faults : [faults[0], faults[^1]])
                {
                    if (only.Length == 0 || $"{call.Name}:{call.Occurrence}:{fault}:".StartsWith(only + ":", StringComparison.Ordinal))
                    {
                        Inject(tool, stage, call, fault);
                    }
                }
            }
        }

        Directory.Delete(directory, recursive: true);
        Console.WriteLine($"{mode.Name}: {_injections} injections into {_kindsSeen.Count} kinds of calls, {_wrong} wrong answers, " +
            $"{_notReached} not reached, {Stopwatch.GetElapsedTime(started).TotalSeconds:F0} s");
        Console.WriteLine($"{_injections - _wrong} passed, {_wrong} failed, 0 skipped");
        return _wrong == 0 && _injections > 0;
    }

    /// <summary>The kinds of calls that a mode makes.</summary>
    private static HashSet<string> KindsOf(Mode mode, string directory)
    {
        using Stage stage = new(mode);
        stage.Prepare();
        return [.. new Tool(mode, stage, directory).Record().Trace.First(perKind: 1, mode.From).Select(static call => call.Kind)];
    }

    private void Inject(Tool tool, Stage stage, Call call, Fault fault)
    {
        stage.Prepare();
        Run run = tool.Fail(call, fault);
        Truth truth = Settle(stage, run);
        List<string> wrong = new Verdict(mode, fault, run, truth).Judge();
        if (run.Hung)
        {
            stage.GiveUp();
        }

        // strace marks injected errors, but not injected signals.
        bool isReached = run.Trace.Injected is not null
            || (fault.IsSignal && run.Trace.Calls.Any(made => made.Name == call.Name && made.Occurrence == call.Occurrence));
        if (!isReached && wrong.Count == 0)
        {
            _notReached++;
            if (only.Length > 0)
            {
                Console.WriteLine($"not reached: {call.Name}:{call.Occurrence}:{fault} {call.Kind}");
            }

            return;
        }

        if (!_kindsSeen.Contains(call.Kind))
        {
            _kindsSeen.Add(call.Kind);
        }

        _injections++;
        if (wrong.Count > 0)
        {
            _wrong++;
            Show($"{mode.Name}: {call.Name}:{call.Occurrence}:{fault}  {run.Trace.Injected ?? call.Name + "(" + call.Text}", run, wrong);
        }
        else if (only.Length > 0)
        {
            Show($"{mode.Name}: {call.Name}:{call.Occurrence}:{fault}  {run.Trace.Injected}", run, ["correct"]);
        }
    }

    /// <summary>A signalled process may end a moment after the program.</summary>
    private static Truth Settle(Stage stage, Run run)
    {
        if (run.Log.Contains(" sent SIG"))
        {
            Thread.Sleep(20);
        }

        return stage.Look();
    }

    private static void Show(string what, Run run, List<string> wrong)
    {
        Console.WriteLine("WRONG " + what);
        wrong.ForEach(static line => Console.WriteLine("   " + line));
        Console.WriteLine($"   exit {run.ExitStatus}");
        foreach (string line in (run.Stdout + run.Log).Split('\n', StringSplitOptions.RemoveEmptyEntries).TakeLast(LinesShown))
        {
            Console.WriteLine("   | " + line);
        }
    }
}
