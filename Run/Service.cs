using System.Diagnostics;
using System.Runtime.InteropServices;
using TcpCloser.Interop;
using TcpCloser.Kill;
using TcpCloser.Report;
using TcpCloser.Rules;

namespace TcpCloser.Run;

/// <summary>Runs one round immediately and then one every interval, until a signal stops it.</summary>
internal static class Service
{
    /// <returns>The exit status.</returns>
    /// <exception cref="SystemCallException">The timer could not be created.</exception>
    public static ExitStatus Run(Round round, TimeSpan interval, List<IObserver> observers, SignalWatch signals)
    {
        long started = Stopwatch.GetTimestamp();
        if (!round.IsDryRun && IsRefused(round.Check(), observers))
        {
            return ExitStatus.NotPossible;
        }

        var totals = new Counts { HasVerdicts = round.Counts.HasVerdicts, HasNotFound = round.Counts.HasNotFound, HasLimit = round.Counts.HasLimit };
        using var timer = new IntervalTimer(interval);
        long rounds = 0;
        Action actOnSignal = ActOnSignal; // created once: a quiet round allocates nothing
        do
        {
            ExitStatus status = round.Run();
            totals.Add(round.Counts);
            if (rounds++ == 0 && status == ExitStatus.NotPossible)
            {
                return status;
            }
        }
        while (timer.Wait(signals, actOnSignal));

        // A SIGHUP may have arrived together with the stop signal: the last lines then belong in the new file.
        signals.ReopenLogIfRequested();
        foreach (IObserver observer in observers)
        {
            observer.Message(Level.Info, $"stopping on {Signal.NameOf(signals.StopSignal)}");
        }

        ReportTotals();
        return signals.StopSignal is Signal.SIGTERM or Signal.SIGINT ? ExitStatus.Done : ExitStatus.Incomplete;

        void ActOnSignal()
        {
            signals.ReopenLogIfRequested();
            if (signals.ConsumeTotalsRequest())
            {
                ReportTotals();
            }
        }

        void ReportTotals()
        {
            foreach (IObserver observer in observers)
            {
                observer.Totals(totals, rounds, Stopwatch.GetElapsedTime(started));
                observer.Flush();
            }
        }
    }

    /// <summary>
    /// Reports missing features. Returns whether nothing could be found or closed at all: the service would then only appear to work.
    /// </summary>
    private static bool IsRefused(List<FeatureSupport> features, List<IObserver> observers)
    {
        bool isRefused = false;
        var reported = new HashSet<string>();
        foreach (FeatureSupport support in features)
        {
            string text = Remedies.Describe(support.Failure);
            if (support.IsPossible || !reported.Add(text))
            {
                continue;
            }

            bool isNothing = support.IsImpossible && Remedies.IsNotPossible(support.Failure);
            isRefused |= isNothing;
            foreach (IObserver observer in observers)
            {
                observer.Message(isNothing ? Level.Error : Level.Warning, text);
                observer.Flush();
            }
        }

        return isRefused;
    }
}

/// <summary>A timerfd(2) that fires every interval, counted from its creation, so that rounds do not drift.</summary>
internal sealed unsafe class IntervalTimer : IDisposable
{
    private readonly int _fd;

    /// <exception cref="SystemCallException">The timer could not be created.</exception>
    public IntervalTimer(TimeSpan interval)
    {
        _fd = Poll.timerfd_create(Poll.CLOCK_MONOTONIC, Poll.TFD_CLOEXEC | Poll.TFD_NONBLOCK);
        var spec = new ITimerSpec
        {
            IntervalSeconds = (long)interval.TotalSeconds,
            IntervalNanoseconds = interval.Ticks % TimeSpan.TicksPerSecond * 100,
        };
        (spec.ValueSeconds, spec.ValueNanoseconds) = (spec.IntervalSeconds, spec.IntervalNanoseconds);
        if (_fd < 0 || Poll.timerfd_settime(_fd, 0, &spec, null) < 0)
        {
            throw new SystemCallException(new Failure(Operation.StartTimer, Marshal.GetLastPInvokeError()));
        }
    }

    /// <summary>Waits for the next tick; several missed ticks count as one. Returns false if a stop was requested.</summary>
    /// <param name="signals">The source of stop requests.</param>
    /// <param name="betweenWaits">Called before each wait, because a signal may have arrived.</param>
    public bool Wait(IStopSource signals, Action betweenWaits)
    {
        PollFd* fds = stackalloc PollFd[2];
        fds[0] = new PollFd { Fd = _fd, Events = Poll.POLLIN };
        fds[1] = new PollFd { Fd = signals.Descriptor, Events = Poll.POLLIN };
        while (!signals.StopRequested())
        {
            betweenWaits();
            ulong ticks;
            if (Unistd.read(_fd, &ticks, sizeof(ulong)) == sizeof(ulong))
            {
                return true;
            }

            _ = Poll.poll(fds, 2, signals.MaxWaitMs);
        }

        return false;
    }

    public void Dispose() => _ = Unistd.close(_fd);
}
