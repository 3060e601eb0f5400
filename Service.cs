using System.Diagnostics;
using TcpCloser.Interop;
using TcpCloser.Kill;
using TcpCloser.Report;

namespace TcpCloser;

/// <summary>A round now and then one every interval, until a signal ends it.</summary>
internal static class Service
{
    /// <returns>The exit status.</returns>
    /// <exception cref="SystemCallException">There is no timer.</exception>
    public static ExitStatus Run(Round round, TimeSpan interval, List<IObserver> observers, SignalWatch signals, bool isDryRun)
    {
        long started = Stopwatch.GetTimestamp();
        if (!isDryRun && Refusal(round.Check(), observers))
        {
            return ExitStatus.NotPossible;
        }

        var totals = new Counts();
        using var timer = new IntervalTimer(interval);
        long rounds = 0;
        do
        {
            ExitStatus status = round.Run();
            totals.Add(round.Counts);
            if (rounds++ == 0 && status == ExitStatus.NotPossible)
            {
                return status;
            }
        }
        while (timer.Wait(signals, ActOnSignal));

        // It may have come together with the signal to stop: then the last lines are the new file's.
        signals.HangUp();
        foreach (IObserver observer in observers)
        {
            observer.Message(Level.Info, $"stopping on {Signal.NameOf(signals.StopSignal)}");
        }

        TellTotals();
        return signals.StopSignal is Signal.SIGTERM or Signal.SIGINT ? ExitStatus.Done : ExitStatus.Incomplete;

        void ActOnSignal()
        {
            signals.HangUp();
            if (signals.TakeWantsTotals())
            {
                TellTotals();
            }
        }

        void TellTotals()
        {
            foreach (IObserver observer in observers)
            {
                observer.Totals(totals, rounds, Stopwatch.GetElapsedTime(started));
                observer.Flush();
            }
        }
    }

    /// <summary>Tells what the method may not do. Returns whether it may do nothing at all: then the service would only look well.</summary>
    private static bool Refusal(Ability ability, List<IObserver> observers)
    {
        if (ability.IsPossible)
        {
            return false;
        }

        bool isNothing = ability.IsImpossible && Remedies.IsNotPossible(ability.Operation, ability.Errno);
        foreach (IObserver observer in observers)
        {
            observer.Message(isNothing ? Level.Error : Level.Warning, Remedies.Describe(ability.Operation, ability.Errno, ability.Subject));
            observer.Flush();
        }

        return isNothing;
    }
}
