using System.Globalization;
using TcpCloser.Interop;
using TcpCloser.Report;
using TcpCloser.Tests.Support;

namespace TcpCloser.Tests.Runs;

/// <summary>Signals as something to read. Each test has a thread of its own, on which they are blocked and to which they go.</summary>
public sealed class SignalWatchTests
{
    public static TheoryData<int> Ending =>
    [
        Signal.SIGHUP, Signal.SIGINT, Signal.SIGQUIT, Signal.SIGUSR1, Signal.SIGUSR2, Signal.SIGALRM, Signal.SIGTERM, Signal.SIGSTKFLT,
        Signal.SIGXCPU, Signal.SIGVTALRM, Signal.SIGPROF, Signal.SIGIO, Signal.SIGPWR, Signal.FirstRealTime, Signal.Highest,
    ];

    [Theory]
    [MemberData(nameof(Ending))]
    public void WhatWouldEndTheProgramAsksToStop(int signal) => InProcess.OnThread(() =>
    {
        using var watch = new SignalWatch(null, notifier: null, isService: false);
        Assert.False(watch.StopRequested());
        Assert.Equal((0, -1), (watch.StopSignal, watch.LongestWaitMs));
        InProcess.Send(signal);
        Assert.True(watch.StopRequested());
        Assert.True(watch.StopRequested()); // for good
        Assert.Equal(signal, watch.StopSignal);
    });

    [Fact]
    public void OfTwoTheLastIsNamed() => InProcess.OnThread(static () =>
    {
        using var watch = new SignalWatch(null, notifier: null, isService: false);
        InProcess.Send(Signal.SIGINT);
        Assert.True(watch.StopRequested());
        InProcess.Send(Signal.SIGTERM);
        Assert.True(watch.StopRequested());
        Assert.Equal(Signal.SIGTERM, watch.StopSignal);
    });

    [Fact]
    public void AHangUpIsActedOnOnceHoweverOftenItCame() => InProcess.OnThread(static () =>
    {
        int times = 0;
        using var watch = new SignalWatch(() => times++, notifier: null, isService: false);
        for (int i = 0; i < 2; i++)
        {
            InProcess.Send(Signal.SIGHUP);
            Assert.False(watch.StopRequested());
        }

        Assert.Equal(0, times);
        watch.HangUp();
        watch.HangUp();
        Assert.Equal((1, 0), (times, watch.StopSignal));
    });

    [Fact]
    public void AServiceIsAskedForItsTotals() => InProcess.OnThread(static () =>
    {
        using var watch = new SignalWatch(static () => { }, notifier: null, isService: true);
        Assert.False(watch.TakeWantsTotals());
        for (int i = 0; i < 2; i++)
        {
            InProcess.Send(Signal.SIGUSR1);
            Assert.False(watch.StopRequested());
        }

        Assert.True(watch.TakeWantsTotals());
        Assert.False(watch.TakeWantsTotals());
    });

    /// <summary>nohup(1) has it that SIGHUP is ignored.</summary>
    [Theory]
    [InlineData(Signal.SIGPWR)]
    [InlineData(60)]
    public void WhatWasIgnoredStaysIgnored(int signal) => InProcess.OnThread(() =>
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

    /// <summary>The kernel gives a signal for the process to any thread that does not block it, and would end the program there.</summary>
    [Fact]
    public void TheFinalizerThreadBlocksThemToo() => InProcess.OnThread(static () =>
    {
        using var watch = new SignalWatch(null, notifier: null, isService: false);
        string finalizer = Directory.GetDirectories("/proc/self/task").Single(static task => File.ReadAllText(task + "/comm") == ".NET Finalizer\n");
        string mask = File.ReadLines(finalizer + "/status").First(static line => line.StartsWith("SigBlk:", StringComparison.Ordinal));
        ulong blocked = ulong.Parse(mask[8..], NumberStyles.HexNumber, CultureInfo.InvariantCulture);
        Assert.Equal(1UL << Signal.SIGTERM - 1, blocked & 1UL << Signal.SIGTERM - 1);
    });

    [Fact]
    public void AWatchdogHearsOfIt() => InProcess.OnThread(static () =>
    {
        using var notifier = new SystemdNotifier(new NotifySocket("/no/such/socket"), TimeSpan.FromHours(2));
        using var watch = new SignalWatch(null, notifier, isService: true);
        Assert.Equal(0, watch.LongestWaitMs);
        Assert.False(watch.StopRequested());
        Assert.InRange(watch.LongestWaitMs, 3_000_000, 3_600_000);
    });
}
