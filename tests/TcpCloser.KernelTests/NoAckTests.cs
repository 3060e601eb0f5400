namespace TcpCloser.KernelTests;

/// <summary>
/// <c>--no-ack-for</c>: connections that are only slow or quiet are skipped; those that no peer acknowledges are closed once that
/// is proven.
/// </summary>
public sealed class NoAckTests
{
    private const int OneWay = 200;

    /// <summary>A connection that was quiet for long and has just sent has unacknowledged data and an old clock, and is healthy.</summary>
    [Fact]
    public void NoAckFor_HeartbeatJustSentAfterLongSilence_IsUnproved()
    {
        using var path = NetworkPath.Slow(OneWay);
        (SocketRange near, _) = path.Connect(3);
        near.WaitQuiet(3_500);
        near.Send();
        Thread.Sleep(100);

        Result result = path.Tool("-d", $"{NetworkPath.Port}", "--no-ack-for", "3s", "--json").Run().Expect(0);

        Assert.Equal(["unproved", "unproved", "unproved"], ProbeTests.Outcomes(result).Values);
        Until.True(() => near.Info("unacked") == 0, "the acknowledgement");
        Assert.Equal(["3 alive"], near.Views);
    }

    /// <summary>
    /// Heartbeats, transfers, receivers that delay their acknowledgements or do not read at all, over a slow path: over thousands
    /// of samples no connection is ever proven dead.
    /// </summary>
    [Fact]
    public void NoAckFor_HealthyTrafficOverASlowPath_ProvesNothing()
    {
        const int Longest = 3_000; // more than a round trip and a delayed acknowledgement, even on a loaded machine
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

        // Before TCP_USER_TIMEOUT ends it: the kernel does not count a window that stays closed as an answer.
        Until.True(
            () =>
            {
                patient.Do("read");
                return full.Process.Ask($"info {full.Text}").All(static line => line.Split(' ').Contains("notsent=0"));
            },
            "the remaining data");

        // The probes of the closed windows wait longer and longer; each is answered.
        Until.True(() => alsoFull.Info("backoff") >= 4, "probes that are far apart");
        runs.Add(path.Tool("-d", $"{NetworkPath.Port}", "--no-ack-for", $"{Longest}ms").Run().Expect(0));
        Until.True(() => alsoFull.Info("acknowledged") > Longest + 500, "a probe that was answered long ago");
        runs.Add(path.Tool("-d", $"{NetworkPath.Port}", "--no-ack-for", $"{Longest}ms").Run().Expect(0));

        Assert.All(runs, static run => Assert.Equal((17, 0), (run.Summary("matched"), run.Summary("idle"))));
        Assert.InRange(watch.Samples, 5_000, long.MaxValue);
        foreach (SocketRange all in new[] { beating, sending, full, alsoFull })
        {
            Assert.Equal([$"{all.Count} alive"], all.Views);
            Assert.All(Enumerable.Range(0, all.Count), i => Assert.InRange(watch.Longest(all[i]), 0u, (uint)Longest - 1));
        }
    }

    /// <summary>Each cause of missing acknowledgements, over a slow path: never proven before it is true, and proven in the end.</summary>
    [Fact]
    public void NoAckFor_EachCauseOfMissingAcks_IsClosedOnceTrue()
    {
        using var path = NetworkPath.Slow(OneWay);
        path.InNear("ip addr add 10.9.0.101/24 dev slow0; ip addr add 10.9.0.102/24 dev slow0; ip route add 10.99.0.0/24 dev slow0");
        path.InFar("ip addr add 10.99.0.1/32 dev slow0");
        (SocketRange cut, _) = path.Connect();
        (SocketRange recent, SocketRange recentFar) = path.Connect();
        (SocketRange noAddress, _) = path.Connect(options: "from=10.9.0.101");
        (SocketRange noRoute, _) = path.Connect(to: "10.99.0.1");
        (SocketRange full, _) = path.Connect();
        (SocketRange probing, _) = path.Connect(options: "keepalive=3,1,100");
        (SocketRange idle, _) = path.Connect();
        full.Fill();
        recent.WaitQuiet(2_000);
        recentFar.Send(); // an acknowledgement on the way back, received a moment before the end

        using var watch = new AckWatch(path);
        path.InNear("ip addr del 10.9.0.101/24 dev slow0; ip route del 10.99.0.0/24 dev slow0");
        watch.Sent(noAddress, noAddress.Send());
        watch.Sent(noRoute, noRoute.Send());
        path.Cut();
        long at = cut.Send();
        watch.Sent(cut, at);
        watch.Sent(recent, recent.Send());
        watch.Sent(full, at - (3 * OneWay)); // the kernel's own probe may have been under way
        watch.Sent(probing, at - (3 * OneWay));

        SocketRange[] dead = [cut, recent, noAddress, noRoute, full, probing];
        long[] ports = [.. dead.Select(static socket => socket.Port)];
        var proven = new HashSet<long>();
        Until.True(
            () =>
            {
                Result result = path.Tool("-n", "-d", $"{NetworkPath.Port}", "--no-ack-for", "3s", "--json").Run().Expect(0);
                proven.UnionWith(ProbeTests.Outcomes(result).Where(static pair => pair.Value == "would_close").Select(static pair => pair.Key));
                return ports.All(proven.Contains);
            },
            "the proof of each");

        Assert.Empty(watch.Excesses);
        Assert.DoesNotContain(idle.Port, proven);
        Assert.InRange(watch.Longest(cut), 3_000u, uint.MaxValue);
        Result closing = path.Tool("-d", $"{NetworkPath.Port}", "--no-ack-for", "2s").Run().Expect(0);
        Assert.InRange(closing.Summary("closed"), 5, 6); // for the closed window nothing is proven for half a second of each wait
        Assert.Equal(["1 ECONNABORTED"], cut.Views);
        Assert.Equal(["1 alive"], idle.Views);
    }

    /// <summary>A full device queue delays retransmissions and probes: even then the proof is never longer than the truth.</summary>
    [Fact]
    public void NoAckFor_DeviceQueueFull_ProvesNoMoreThanIsTrue()
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
        Until.True(() => near.Process.Ask($"info {near.Text}").All(static line => !line.Contains(" retransmits=0 ")), "retransmissions on all connections");
        Thread.Sleep(8_000);

        Assert.Empty(watch.Excesses);
        Assert.InRange(watch.Samples, 1_000, long.MaxValue);
    }
}
