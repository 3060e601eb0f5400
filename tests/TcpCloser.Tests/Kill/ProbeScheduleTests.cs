namespace TcpCloser.Tests.Kill;

/// <summary>When a peer is probed, and when its time is over, for all times that are allowed.</summary>
public sealed class ProbeScheduleTests
{
    public static TheoryData<string> Times => ["3", "3.001", "4", "4.5", "5", "5.999", "6", "6.001", "10", "30", "120", "299.999", "300"];

    [Theory]
    [MemberData(nameof(Times))]
    public void Schedule_ProbesSentInTime_EndsAtTheGivenTimeWithEnoughProbes(string seconds)
    {
        ProbeSchedule schedule = Of(seconds);
        (ProbedPeer peer, long end) = Play(schedule, delayOf: static _ => 0);
        Assert.Equal(peer.FirstAskedAt + schedule.TimeMs, end);
        Assert.InRange(peer.Asked, ProbeSchedule.MinQuestions, 10);
        Assert.True(end - peer.LastAskedAt >= schedule.TimeMs / 10);
        Assert.InRange(schedule.IntervalMs, 600u, uint.MaxValue);
    }

    /// <summary>A process that is delayed at any probe sends the missing ones, and no more.</summary>
    [Theory]
    [MemberData(nameof(Times))]
    public void Schedule_DelayedAtAnyProbe_EndsAfterTheMissingProbes(string seconds)
    {
        ProbeSchedule schedule = Of(seconds);
        for (int delayedProbe = 1; delayedProbe < 10; delayedProbe++)
        {
            foreach (long delay in (long[])[1, 99, 599, 601, schedule.TimeMs, 10 * schedule.TimeMs])
            {
                (ProbedPeer peer, long end) = Play(schedule, probe => probe == delayedProbe ? delay : 0);
                Assert.True(peer.Asked >= ProbeSchedule.MinQuestions);
                Assert.True(end - peer.LastAskedAt >= schedule.TimeMs / 10);
                Assert.True(end - peer.FirstAskedAt >= schedule.TimeMs);
                Assert.True(end - peer.FirstAskedAt <= schedule.TimeMs + delay + (4 * schedule.IntervalMs), $"{delayedProbe} {delay}: {end - peer.FirstAskedAt}");
            }
        }
    }

    /// <summary>Resumed long after the end, it sends the overdue probe, because the peer may be back.</summary>
    [Fact]
    public void Schedule_SuspendedBeyondTheEnd_ProbesOnceMore()
    {
        ProbeSchedule schedule = Of("10");
        var peer = new ProbedPeer { Asked = 4, FirstAskedAt = 1_000, LastAskedAt = 4_000 };
        Assert.Equal(5_000, schedule.NextQuestionAt(in peer));
        Assert.Equal(long.MaxValue, schedule.EndOf(in peer));
        (peer.Asked, peer.LastAskedAt) = (5, 12_000);
        Assert.Equal(long.MaxValue, schedule.NextQuestionAt(in peer));
        Assert.Equal(13_000, schedule.EndOf(in peer));
    }

    private static ProbeSchedule Of(string seconds) => new(TimeSpan.FromSeconds(double.Parse(seconds, System.Globalization.CultureInfo.InvariantCulture)));

    /// <summary>Probes a peer that never answers until its time is over. Each probe is delayed by what its number maps to, in ms.</summary>
    private static (ProbedPeer Peer, long End) Play(ProbeSchedule schedule, Func<int, long> delayOf)
    {
        var peer = new ProbedPeer();
        long now = 5_000;
        while (true)
        {
            long next = schedule.NextQuestionAt(in peer);
            long end = schedule.EndOf(in peer);
            if (end <= next)
            {
                return (peer, Math.Max(end, now));
            }

            now = Math.Max(now, next) + delayOf(peer.Asked);
            peer.FirstAskedAt = peer.Asked == 0 ? now : peer.FirstAskedAt;
            peer.LastAskedAt = now;
            peer.Asked++;
            Assert.InRange(peer.Asked, 1, 20);
        }
    }
}
