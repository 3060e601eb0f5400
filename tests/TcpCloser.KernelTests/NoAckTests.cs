using TcpCloser.KernelTests.Harness;
using TcpCloser.KernelTests.Harness.Paths;
using Xunit;

namespace TcpCloser.KernelTests;

/// <summary><c>--no-ack-for</c>: what is only slow or quiet is left alone, and what nobody acknowledges is taken once that is proved.</summary>
public sealed class NoAckTests
{
    private const int OneWay = 200;

    /// <summary>Who was quiet for long and has just sent shows something unacknowledged and an old clock, and is as healthy as can be.</summary>
    [Fact]
    public void AHeartbeatThatHasJustBeenSent()
    {
        using var path = NetworkPath.Slow(OneWay);
        (SocketRange near, _) = path.Connect(3);
        near.WaitQuiet(3_500);
        near.Send();
        Thread.Sleep(100);

        Result result = path.Tool("-d", $"{NetworkPath.Port}", "--no-ack-for", "3s", "--json").Run().Expect(0);

        Assert.Equal(["unproved", "unproved", "unproved"], ProbeTests.Outcomes(result).Values);
        Until.True(() => near.Info("unacked") == 0, "the acknowledgement");
        Assert.Equal(["3 alive"], near.Looks);
    }

    /// <summary>
    /// Heartbeats, transfers, receivers that delay their acknowledgements or do not read at all, over a slow path: thousands of looks,
    /// and nothing is ever proved of any of them.
    /// </summary>
    [Fact]
    public void HealthyTraffic()
    {
        const int Longest = 3_000; // more than a round trip and a delayed acknowledgement, also on a crowded machine
        using var path = NetworkPath.Slow(OneWay);
        (SocketRange beating, SocketRange hearing) = path.Connect(10);
        (SocketRange sending, SocketRange reading) = path.Connect(3);
        (SocketRange full, SocketRange patient) = path.Connect(2, options: "user-timeout=20000");
        (SocketRange alsoFull, _) = path.Connect(2);
        full.Fill();
        alsoFull.Fill();
        using var watch = new AckWatch(path);

        var runs = new List<Result>();
        for (int i = 0; i < 50; i++)
        {
            beating[i % 10].Send();
            _ = i % 3 == 0 ? hearing[i % 10].Send() : 0;
            sending.Send(100_000);
            reading.Do("read");
            Thread.Sleep(100);
            if (i % 10 == 5)
            {
                runs.Add(path.Tool("-d", $"{NetworkPath.Port}", "--no-ack-for", $"{Longest}ms").Run().Expect(0));
            }
        }

        // Before TCP_USER_TIMEOUT ends it: to the kernel a window that stays shut is no answer.
        Until.True(
            () =>
            {
                patient.Do("read");
                return full.Process.Ask($"info {full.Text}").All(static line => line.EndsWith("notsent=0", StringComparison.Ordinal));
            },
            "all that was left");

        // The probes of the shut windows wait longer and longer; each is answered.
        Until.True(() => alsoFull.Info("backoff") >= 4, "probes that are far apart");
        runs.Add(path.Tool("-d", $"{NetworkPath.Port}", "--no-ack-for", $"{Longest}ms").Run().Expect(0));
        Until.True(() => alsoFull.Info("acknowledged") > Longest + 500, "a probe that has been answered long ago");
        runs.Add(path.Tool("-d", $"{NetworkPath.Port}", "--no-ack-for", $"{Longest}ms").Run().Expect(0));

        Assert.All(runs, static run => Assert.Equal((17, 0), (run.Summary("matched"), run.Summary("idle"))));
        Assert.InRange(watch.Looks, 5_000, long.MaxValue);
        foreach (SocketRange all in new[] { beating, sending, full, alsoFull })
        {
            Assert.Equal([$"{all.Count} alive"], all.Looks);
            Assert.All(Enumerable.Range(0, all.Count), i => Assert.InRange(watch.Longest(all[i]), 0u, (uint)Longest - 1));
        }
    }

    /// <summary>Each way in which nobody acknowledges, over a slow path: never taken before it is true, and taken in the end.</summary>
    [Fact]
    public void WhatNobodyAcknowledgesIsTaken()
    {
        using var path = NetworkPath.Slow(OneWay);
        path.InNear("ip addr add 10.9.0.101/24 dev slow0; ip addr add 10.9.0.102/24 dev slow0; ip route add 10.99.0.0/24 dev slow0");
        path.InFar("ip addr add 10.99.0.1/32 dev slow0");
        (SocketRange cut, _) = path.Connect();
        (SocketRange recent, SocketRange recentFar) = path.Connect();
        (SocketRange noAddress, _) = path.Connect(options: "from=10.9.0.101");
        (SocketRange noRoute, _) = path.Connect(to: "10.99.0.1");
        (SocketRange full, _) = path.Connect();
        (SocketRange asking, _) = path.Connect(options: "keepalive=3,1,100");
        (SocketRange idle, _) = path.Connect();
        full.Fill();
        recent.WaitQuiet(2_000);
        recentFar.Send(); // an acknowledgement on the way back, last heard of a moment before the end

        using var watch = new AckWatch(path);
        path.InNear("ip addr del 10.9.0.101/24 dev slow0; ip route del 10.99.0.0/24 dev slow0");
        watch.Sent(noAddress, noAddress.Send());
        watch.Sent(noRoute, noRoute.Send());
        path.Cut();
        long at = cut.Send();
        watch.Sent(cut, at);
        watch.Sent(recent, recent.Send());
        watch.Sent(full, at - (3 * OneWay)); // the kernel's own probe may have been on its way
        watch.Sent(asking, at - (3 * OneWay));

        SocketRange[] dead = [cut, recent, noAddress, noRoute, full, asking];
        long[] ports = [.. dead.Select(static socket => socket.Port)];
        var taken = new HashSet<long>();
        Until.True(
            () =>
            {
                Result result = path.Tool("-n", "-d", $"{NetworkPath.Port}", "--no-ack-for", "3s", "--json").Run().Expect(0);
                taken.UnionWith(ProbeTests.Outcomes(result).Where(static pair => pair.Value == "would_close").Select(static pair => pair.Key));
                return ports.All(taken.Contains);
            },
            "the proof of each");

        Assert.Empty(watch.Excesses);
        Assert.DoesNotContain(idle.Port, taken);
        Assert.InRange(watch.Longest(cut), 3_000u, uint.MaxValue);
        Result closing = path.Tool("-d", $"{NetworkPath.Port}", "--no-ack-for", "2s").Run().Expect(0);
        Assert.InRange(closing.Summary("closed"), 5, 6); // of the shut window nothing is proved for half a second of each wait
        Assert.Equal(["1 ECONNABORTED"], cut.Looks);
        Assert.Equal(["1 alive"], idle.Looks);
    }

    /// <summary>A full queue of the device keeps retransmissions and probes back: the proof is no longer than the truth there either.</summary>
    [Fact]
    public void AFullQueueOfTheDevice()
    {
        using var path = NetworkPath.Slow(0);
        path.InNear("ip link set slow0 txqueuelen 3");
        (SocketRange near, _) = path.Connect(6);
        (SocketRange full, _) = path.Connect(2);
        long fullAt = Environment.TickCount64;
        full.Fill();
        using var watch = new AckWatch(path);
        path.Stall();

        watch.Sent(full, fullAt);
        for (int i = 0; i < near.Count; i++)
        {
            watch.Sent(near[i], Environment.TickCount64 - 20);
            near[i].Send(20_000);
        }

        Until.True(() => near.Process.Ask($"info {near.Text}").All(static line => !line.Contains(" retransmits=0 ", StringComparison.Ordinal)), "retransmissions of all");
        Thread.Sleep(8_000);

        Assert.Empty(watch.Excesses);
        Assert.InRange(watch.Looks, 1_000, long.MaxValue);
    }
}
