using System.Text;
using TcpCloser.Cli;
using TcpCloser.Interop;
using TcpCloser.Report;

namespace TcpCloser;

/// <summary>Joins the rooms: runs once or every interval, and chooses the exit status.</summary>
internal static class Program
{
    private static int Main(string[] args)
    {
        StandardStreams.FillClosed();
        Signal.Ignore(Signal.SIGPIPE);
        Signal.Ignore(Signal.SIGXFSZ);
        return (int)Run(args, Machine.Real);
    }

    /// <summary>Does what the words ask for on that machine, and tells why where it could not.</summary>
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
            Print(Unistd.STDERR_FILENO, $"tcp-closer: {Remedies.Describe(e)}\n");
            return Remedies.IsNotPossible(e.Operation, e.Errno) ? ExitStatus.NotPossible : ExitStatus.Incomplete;
        }
        catch (Exception e)
        {
            Print(Unistd.STDERR_FILENO, e is OutOfMemoryException ? "tcp-closer: out of memory\n"u8 : "tcp-closer: failed for a reason that was not foreseen\n"u8);
            return ExitStatus.Incomplete;
        }
    }

    private static ExitStatus RunOrThrow(string[] args, Machine machine)
    {
        if (CommandLine.Parse(args, out string? text) is not { } parsed)
        {
            return Print(Unistd.STDOUT_FILENO, text!) == 0 ? ExitStatus.Done : ExitStatus.Incomplete;
        }

        (Rule rule, RunOptions run) = parsed;
        var patience = new Patience(run.Interval is null ? null : TimeSpan.FromSeconds(1));
        var stdout = new OutputStream(Unistd.STDOUT_FILENO, patience);
        JsonRecords? records = run.Json ? new JsonRecords(stdout, rule) : null;
        using Log log = OpenLog(rule, run, patience);
        MetricsFile? metrics = run.Metrics is null ? null : new MetricsFile(run.Metrics, rule.Name, log);
        using SystemdNotifier? notifier = run.Interval is null ? null : SystemdNotifier.FromEnvironment();
        SignalWatch? signals = null;
        ExitStatus status = run.Check
            ? CheckRun.Run(machine, rule, records, stdout)
            : Run(rule, run, machine, log, Observers(rule, run, log, records, metrics, notifier, stdout), WatchSignals);
        if (stdout.Errno != 0)
        {
            log.Write(Level.Error, Remedies.Describe(Operation.WriteOutput, stdout.Errno));
        }
        else if (stdout.Lost > 0)
        {
            log.Write(Level.Error, $"{stdout.Lost} lines to stdout were lost: their reader had stalled");
        }

        log.Flush();
        return status == ExitStatus.Done && (log.Failed || metrics is { Failed: true } || stdout.Errno != 0 || stdout.Lost > 0) ? ExitStatus.Incomplete : status;

        // To the end of the process: also the last lines may wait for a reader.
        SignalWatch WatchSignals()
        {
            signals ??= new SignalWatch(run.LogFile is null && run.Interval is null ? null : HangUp, notifier, isService: run.Interval is not null);
            patience.Stop = signals;
            return signals;
        }

        void HangUp()
        {
            if (notifier is null)
            {
                log.Reopen();
            }
            else
            {
                notifier.Reload(log.Reopen);
            }
        }
    }

    private static ExitStatus Run(
        Rule rule, RunOptions run, Machine machine, Log log, List<IObserver> observers, Func<SignalWatch> watchSignals)
    {
        log.Write(Level.Info, RunText.Describe(rule, run));
        foreach (string remark in run.Remarks)
        {
            log.Write(Level.Info, remark);
        }

        log.Flush();
        var round = new Round(rule, run, machine, observers, watchSignals);
        return run.Interval is { } interval ? Service.Run(round, interval, observers, watchSignals(), run.DryRun) : round.Run();
    }

    private static List<IObserver> Observers(
        Rule rule, RunOptions run, Log log, JsonRecords? records, MetricsFile? metrics, SystemdNotifier? notifier, OutputStream stdout)
    {
        var observers = new List<IObserver> { new LogObserver(log, isService: run.Interval is not null) };
        if (run.GroupBy is { } key)
        {
            observers.Add(new GroupTable(stdout, key, records));
        }
        else if (records is not null)
        {
            observers.Add(records);
        }
        else if (run.DryRun)
        {
            observers.Add(new DryRunTable(stdout, rule.NamesNamespaces, RunText.MethodOf(rule.Method)));
        }

        if (metrics is not null)
        {
            observers.Add(metrics);
        }

        if (notifier is not null)
        {
            observers.Add(notifier);
        }

        return observers;
    }

    private static Log OpenLog(Rule rule, RunOptions run, Patience patience)
    {
        try
        {
            var file = new LogFile(run.LogFile, patience, alsoToStderr: run.Quiet);
            Level threshold = run.Quiet ? Level.Warning : run.Verbose ? Level.Debug : Level.Info;
            return new Log(file, run.Syslog && !run.DryRun && !file.IsJournal ? new Syslog() : null, threshold, rule.Name);
        }
        catch (SystemCallException e)
        {
            throw new UsageException("-f/--logfile", run.LogFile!, Remedies.Describe(e));
        }
    }

    private static int Print(int fd, string text) => Print(fd, Encoding.UTF8.GetBytes(text));

    private static int Print(int fd, ReadOnlySpan<byte> text) => new OutputStream(fd, new Patience(null)).Write(text);
}
