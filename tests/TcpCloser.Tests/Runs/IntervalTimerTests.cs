using System.Diagnostics;
using TcpCloser.Tests.Support;

namespace TcpCloser.Tests.Runs;

/// <summary>The ticks of a service.</summary>
public sealed class IntervalTimerTests
{
    [Theory]
    [InlineData(20)]
    [InlineData(1_005)]
    public void ATickEveryInterval(int milliseconds)
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

    /// <summary>Ticks are counted from the beginning, and those that a long round missed are one.</summary>
    [Fact]
    public void MissedTicksAreOne()
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
    public void ItStopsWhereThatIsAskedFor()
    {
        using var timer = new IntervalTimer(TimeSpan.FromDays(1));
        Assert.False(timer.Wait(new FakeStop(static () => true), static () => Assert.Fail("it stops at once")));
    }
}
