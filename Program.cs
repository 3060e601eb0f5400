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
        Options? options;
        Log log;
        try
        {
            options = CommandLine.Parse(args, out string? text);
            if (options is null)
            {
                return Print(Unistd.STDOUT_FILENO, text!) == 0 ? ExitStatus.Done : ExitStatus.Incomplete;
            }

            log = OpenLog(options);
        }
        catch (UsageException e)
        {
            Print(Unistd.STDERR_FILENO, $"tcp-closer: {e.Message}\nTry 'tcp-closer --help'\n");
            return ExitStatus.Usage;
        }

        using (log)
        {
            JsonRecords? records = options.Json ? new JsonRecords() : null;
            int status = options.Check ? CheckRun.Run(records) : Run(options, log, records);
            if (records is { Errno: not 0 })
            {
                log.Write(Level.Error, "writing records to stdout: " + Errno.Describe(records.Errno));
            }

            log.Flush();
            return status == ExitStatus.Done && (log.Failed || records is { Errno: not 0 }) ? ExitStatus.Incomplete : status;
        }
    }

    private static int Run(Options options, Log log, JsonRecords? records)
    {
        log.Write(Level.Info, RunText.Describe(options));
        log.Flush();
        if (options.Interval is { } interval)
        {
            return Service.Run(options, log, records, interval);
        }

        var report = new RoundReport(log, options.Verbose, records);
        int status = new Round(options, log, records).Run(report, signals: null);
        report.WriteSummary();
        return status;
    }

    private static Log OpenLog(Options options)
    {
        try
        {
            return new Log(new LogFile(options.LogFile), options.Syslog && !options.DryRun ? new Syslog() : null);
        }
        catch (SystemCallException e)
        {
            throw new UsageException("-f/--logfile", options.LogFile!, $"{e.Message}; give a file that can be appended to");
        }
    }

    private static int Print(int fd, string text) => StandardStreams.Write(fd, Encoding.UTF8.GetBytes(text));
}
