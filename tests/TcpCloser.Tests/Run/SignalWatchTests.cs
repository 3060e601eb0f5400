using System.Globalization;
using TcpCloser.Run;

namespace TcpCloser.Tests.Run;

/// <summary>Signals as something to read. Each test has a thread of its own, which blocks the signals and receives them.</summary>
public sealed class SignalWatchTests
{
    public static TheoryData<int> EndingSignals =>
    [
        Signal.SIGHUP, Signal.SIGINT, Signal.SIGQUIT, Signal.SIGUSR1, Signal.SIGUSR2, Signal.SIGALRM, Signal.SIGTERM, Signal.SIGSTKFLT,
        Signal.SIGXCPU, Signal.SIGVTALRM, Signal.SIGPROF, Signal.SIGIO, Signal.SIGPWR, Signal.FirstRealTime, Signal.Max,
    ];

    [Theory]
    [MemberData(nameof(EndingSignals))]
    public void Watch_SignalThatWouldEndTheProgram_RequestsAStop(int signal) => InProcess.OnThread(() =>
    {
        using var watch = new SignalWatch(null, notifier: null, isService: false);
        Assert.False(watch.StopRequested());
        Assert.Equal((0, -1), (watch.StopSignal, watch.MaxWaitMs));
        InProcess.Send(signal);
        Assert.True(watch.StopRequested());
        Assert.True(watch.StopRequested()); // for good
        Assert.Equal(signal, watch.StopSignal);
    });

    [Fact]
    public void Watch_TwoSignals_NamesTheLast() => InProcess.OnThread(static () =>
    {
        using var watch = new SignalWatch(null, notifier: null, isService: false);
        InProcess.Send(Signal.SIGINT);
        Assert.True(watch.StopRequested());
        InProcess.Send(Signal.SIGTERM);
        Assert.True(watch.StopRequested());
        Assert.Equal(Signal.SIGTERM, watch.StopSignal);
    });

    [Fact]
    public void Watch_SighupTwice_IsHandledOnce() => InProcess.OnThread(static () =>
    {
        int times = 0;
        using var watch = new SignalWatch(() => times++, notifier: null, isService: false);
        for (int i = 0; i < 2; i++)
        {
            InProcess.Send(Signal.SIGHUP);
            Assert.False(watch.StopRequested());
        }

        Assert.Equal(0, times);
        watch.ReopenLogIfRequested();
        watch.ReopenLogIfRequested();
        Assert.Equal((1, 0), (times, watch.StopSignal));
    });

    [Fact]
    public void Watch_Sigusr1InAService_RequestsTheTotalsOnce() => InProcess.OnThread(static () =>
    {
        using var watch = new SignalWatch(static () => { }, notifier: null, isService: true);
        Assert.False(watch.ConsumeTotalsRequest());
        for (int i = 0; i < 2; i++)
        {
            InProcess.Send(Signal.SIGUSR1);
            Assert.False(watch.StopRequested());
        }

        Assert.True(watch.ConsumeTotalsRequest());
        Assert.False(watch.ConsumeTotalsRequest());
    });

    /// <summary>nohup(1), for example, ignores SIGHUP.</summary>
    [Theory]
    [Values(Signal.SIGPWR, 60)]
    public void Watch_SignalIgnoredBefore_StaysIgnored(int signal) => InProcess.OnThread(() =>
    {
        InProcess.SetHandler(signal, isIgnored: true);
        try
        {
            using var watch = new SignalWatch(null, notifier: null, isService: false);
            InProcess.Send(signal);
            Assert.False(watch.StopRequested());
        }
        finally
        {
            InProcess.SetHandler(signal, isIgnored: false);
        }
    });

    /// <summary>The kernel delivers a signal for the process to any thread that does not block it, which would end the program.</summary>
    [Fact]
    public void Watch_FinalizerThread_AlsoBlocksTheSignals() => InProcess.OnThread(static () =>
    {
        using var watch = new SignalWatch(null, notifier: null, isService: false);
        string finalizer = Directory.GetDirectories("/proc/self/task").Single(static task => File.ReadAllText(task + "/comm") == ".NET Finalizer\n");
        string mask = File.ReadLines(finalizer + "/status").First(static line => line.StartsWith("SigBlk:", StringComparison.Ordinal));
        ulong blocked = ulong.Parse(mask[8..], NumberStyles.HexNumber, CultureInfo.InvariantCulture);
        Assert.Equal(1UL << Signal.SIGTERM - 1, blocked & 1UL << Signal.SIGTERM - 1);
    });

    [Fact]
    public void Watch_WithAWatchdog_LimitsTheWait() => InProcess.OnThread(static () =>
    {
        using var notifier = new SystemdNotifier(new NotifySocket("/no/such/socket"), TimeSpan.FromHours(2));
        using var watch = new SignalWatch(null, notifier, isService: true);
        Assert.Equal(0, watch.MaxWaitMs);
        Assert.False(watch.StopRequested());
        Assert.InRange(watch.MaxWaitMs, 3_000_000, 3_600_000);
    });
}
