using System.Diagnostics;
using TcpCloser.Cli;
using TcpCloser.Interop;
using TcpCloser.Report;

namespace TcpCloser;

/// <summary>A round now and then one every interval, until SIGTERM or SIGINT.</summary>
internal static class Service
{
    /// <returns>The exit status.</returns>
    public static int Run(Options options, Log log, JsonRecords? records, TimeSpan interval)
    {
        long started = Stopwatch.GetTimestamp();
        var totals = new Counts();
        using var signals = new SignalWatch(log.Reopen);
        using var timer = new IntervalTimer(interval);
        var round = new Round(options, log, records);
        var report = new RoundReport(log, options.Verbose, records);
        long rounds = 0;
        do
        {
            report.Begin();
            int status = round.Run(report, signals);
            totals.Add(report.Counts);
            rounds++;
            if (options.Verbose || status != ExitStatus.Done || report.Counts.IsNews)
            {
                report.WriteSummary();
            }

            log.Flush();
            if (rounds == 1 && status == ExitStatus.NotPossible)
            {
                return status;
            }
        }
        while (timer.Wait(signals));

        TimeSpan time = Stopwatch.GetElapsedTime(started);
        log.Write(Level.Info, $"stopping on {Signal.NameOf(signals.StopSignal)}");
        totals.Write(log.Begin(Level.Info).Add("totals rounds="u8).Add((ulong)rounds).Add(" "u8))
            .Add(" time="u8).Add((ulong)time.TotalMilliseconds).Add("ms"u8);
        log.End();
        records?.Summary("totals"u8, totals, rounds, time);
        records?.Flush();
        return ExitStatus.Done;
    }
}
