using System.Diagnostics;
using TcpCloser.Run;

namespace TcpCloser.Tests.Run;

/// <summary>The ticks of a service.</summary>
public sealed class IntervalTimerTests
{
    [Theory]
    [Values(20, 1_005)]
    public void Timer_TwoWaits_TicksEveryInterval(int milliseconds)
    {
        long started = Stopwatch.GetTimestamp();
        var interval = TimeSpan.FromMilliseconds(milliseconds);
        using var timer = new IntervalTimer(interval);
        int betweenWaits = 0;
        for (int tick = 1; tick <= 2; tick++)
        {
            Assert.True(timer.Wait(new FakeStop(), () => betweenWaits++));
            Assert.True(Stopwatch.GetElapsedTime(started) >= tick * interval);
        }

        Assert.True(betweenWaits >= 2);
    }

    /// <summary>Ticks are counted from the start, and all ticks that a long round missed count as one.</summary>
    [Fact]
    public void Timer_SeveralTicksMissed_CountsThemAsOne()
    {
        var interval = TimeSpan.FromMilliseconds(50);
        long started = Stopwatch.GetTimestamp();
        using var timer = new IntervalTimer(interval);
        Thread.Sleep(4 * interval);
        Assert.True(timer.Wait(new FakeStop(), static () => { }));
        Assert.True(timer.Wait(new FakeStop(), static () => { }));
        Assert.True(Stopwatch.GetElapsedTime(started) >= 5 * interval);
    }

    [Fact]
    public void Timer_StopRequested_EndsTheWaitAtOnce()
    {
        using var timer = new IntervalTimer(TimeSpan.FromDays(1));
        Assert.False(timer.Wait(new FakeStop(static () => true), static () => Assert.Fail("the wait must end at once")));
    }
}
