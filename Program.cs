using System.Text;
using TcpCloser.Cli;
using TcpCloser.Interop;
using TcpCloser.Kill;
using TcpCloser.Proc;
using TcpCloser.Report;
using TcpCloser.Rules;
using TcpCloser.Run;

namespace TcpCloser;

/// <summary>The entry point: connects the components, runs once or every interval, and returns the exit status.</summary>
internal static class Program
{
    private static int Main(string[] args)
    {
        StandardStreams.FillClosed();
        _ = Signal.Ignore(Signal.SIGPIPE);
        _ = Signal.Ignore(Signal.SIGXFSZ);
        return (int)Run(args, Machine.Real);
    }

    /// <summary>Executes a command line on a machine and reports failures on stderr.</summary>
    /// <returns>The exit status.</returns>
    public static ExitStatus Run(string[] args, Machine machine)
    {
        try
        {
            return RunOrThrow(args, machine);
        }
        catch (UsageException e)
        {
            Print(Unistd.STDERR_FILENO, $"tcp-closer: {e.Message}\nTry 'tcp-closer --help'\n");
            return ExitStatus.Usage;
        }
        catch (SystemCallException e)
        {
            Print(Unistd.STDERR_FILENO, $"tcp-closer: {Remedies.Describe(e.Failure)}\n");
            return Remedies.IsNotPossible(e.Failure) ? ExitStatus.NotPossible : ExitStatus.Incomplete;
        }
        catch (Exception e)
        {
            Print(Unistd.STDERR_FILENO, e is OutOfMemoryException ? "tcp-closer: out of memory\n"u8 : "tcp-closer: unexpected error\n"u8);
            return ExitStatus.Incomplete;
        }
    }

    private static ExitStatus RunOrThrow(string[] args, Machine machine)
    {
        if (CommandLine.Parse(args, out string? text) is not { } parsed)
        {
            // A reader that stops early, such as head(1), has read what it wanted.
            int errno = Print(Unistd.STDOUT_FILENO, text!);
            return errno is 0 or Errno.EPIPE ? ExitStatus.Done : throw new SystemCallException(new Failure(Operation.WriteOutput, errno));
        }

        (Rule rule, RunOptions run) = parsed;
        if (run.Interval is null && !run.Check && !run.DryRun && SystemdNotifier.IsExpected)
        {
            throw new UsageException("-i/--interval is missing: a service manager started this process (NOTIFY_SOCKET is set), and would " +
                "restart it after each run; to run it once anyway, unset NOTIFY_SOCKET");
        }

        RefuseOverflowUid(rule, machine);
        var stalls = new StallPolicy(run.Interval is null ? null : TimeSpan.FromSeconds(1));
        var stdout = new OutputStream(Unistd.STDOUT_FILENO, stalls);
        JsonRecords? records = run.Json ? new JsonRecords(stdout, rule) : null;
        using Log log = OpenLog(rule, run, stalls);
        var outputCheck = new OutputCheck(stdout, log, hasRecords: run.Json);
        MetricsFile? metrics = run.Metrics is null ? null : new MetricsFile(run.Metrics, rule.Name, log);
        using SystemdNotifier? notifier = run.Interval is null || run.Check ? null : SystemdNotifier.FromEnvironment();
        SignalWatch? signals = null;
        ExitStatus status = run.Check
            ? CheckRun.Run(machine, rule, run, records, stdout)
            : Run(rule, run, machine, log, Observers(rule, run, log, stalls, records, metrics, notifier, stdout, outputCheck), WatchSignals);
        if (run.Interval is not null && signals is { StopSignal: not 0 })
        {
            metrics?.Remove();
        }

        outputCheck.Report();
        if (stdout.Lost > 0)
        {
            log.Write(Level.Error, $"{stdout.Lost} lines to stdout were lost: the reader stalled");
        }

        log.Flush();
        return status == ExitStatus.Done && (log.Failed || metrics is { Failed: true } || outputCheck.Failed || stdout.Lost > 0) ? ExitStatus.Incomplete : status;

        // Signals are watched until the process ends, because even the last lines may wait for a reader.
        SignalWatch WatchSignals()
        {
            signals ??= new SignalWatch(run.LogFile is null && run.Interval is null ? null : ReopenLog, notifier, isService: run.Interval is not null);
            stalls.Stop = signals;
            return signals;
        }

        void ReopenLog()
        {
            if (notifier is null)
            {
                log.Reopen();
            }
            else
            {
                notifier.Reload(log.Reopen);
            }

            // Operators who reload a service expect it to read its changed options.
            if (run.Interval is not null)
            {
                log.Write(Level.Info, "SIGHUP only reopens the log file: changed options need a restart");
                log.Flush();
            }
        }
    }

    /// <summary>
    /// Refuses the uid that stands for all users that the user namespace does not map: it would select the connections of all of them.
    /// </summary>
    private static void RefuseOverflowUid(Rule rule, Machine machine)
    {
        if (rule.Uids.Count == 0)
        {
            return;
        }

        try
        {
            using IProcessTable table = machine.OpenProcesses();
            if (table.OverflowUid is { } uid && rule.Uids.Contains(uid))
            {
                throw new UsageException("--uid", uid.ToString(), "in this user namespace it stands for every user that is not mapped: " +
                    "select by port, process or cgroup, or run it in a namespace that maps all users");
            }
        }
        catch (SystemCallException)
        {
            // Without /proc this cannot be checked, and a rule by user does not otherwise need /proc.
        }
    }

    private static ExitStatus Run(
        Rule rule, RunOptions run, Machine machine, Log log, List<IObserver> observers, Func<SignalWatch> watchSignals)
    {
        if (log.Writes(Level.Info))
        {
            log.Write(Level.Info, RunText.Describe(rule, run) + Starter.Describe());
        }

        foreach (string hint in run.Hints)
        {
            log.Write(Level.Warning, hint);
        }

        log.Flush();
        var round = new Round(rule, run, machine, observers, watchSignals);
        return run.Interval is { } interval ? Service.Run(round, interval, observers, watchSignals()) : round.Run();
    }

    private static List<IObserver> Observers(Rule rule, RunOptions run, Log log, StallPolicy stalls, JsonRecords? records, MetricsFile? metrics,
        SystemdNotifier? notifier, OutputStream stdout, OutputCheck outputCheck)
    {
        var observers = new List<IObserver>();
        if (run.Interval is null && !run.Quiet && ProgressLine.OnTerminal(stalls) is { } progress)
        {
            observers.Add(progress);
        }

        observers.Add(new LogObserver(log, isService: run.Interval is not null, logsDryRun: run.DryRun && run.Interval is not null));
        if (run.GroupBy is { } key)
        {
            observers.Add(new GroupTable(stdout, key, countsVerdicts: rule.Probe > TimeSpan.Zero, records));
        }
        else if (records is not null)
        {
            observers.Add(records);
        }
        else if (run.DryRun && run.Interval is null)
        {
            observers.Add(new DryRunTable(stdout, rule.NamesNamespaces, rule.Method));
        }

        if (metrics is not null)
        {
            observers.Add(metrics);
        }

        if (notifier is not null)
        {
            observers.Add(notifier);
        }

        observers.Add(outputCheck); // last, so that the others have written their output of a round
        return observers;
    }

    private static Log OpenLog(Rule rule, RunOptions run, StallPolicy stalls)
    {
        try
        {
            var file = new LogFile(run.LogFile, stalls, alsoToStderr: run.Quiet);
            Level threshold = run.Quiet ? Level.Warning : run.Verbose ? Level.Debug : Level.Info;
            return new Log(file, run.Syslog && !run.DryRun && !file.IsJournal ? new Syslog() : null, threshold, rule.Name);
        }
        catch (SystemCallException e)
        {
            throw new UsageException("-f/--logfile", run.LogFile!, Remedies.Describe(e.Failure));
        }
    }

    private static int Print(int fd, string text) => Print(fd, Encoding.UTF8.GetBytes(text));

    private static int Print(int fd, ReadOnlySpan<byte> text) => new OutputStream(fd, new StallPolicy(null)).Write(text);
}
