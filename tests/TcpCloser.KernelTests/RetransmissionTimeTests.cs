namespace TcpCloser.KernelTests;

/// <summary>
/// <c>--no-ack-for</c> where the backoff does not show how long the kernel has been retransmitting: ICMP unreachables undo it,
/// earlier timeouts count in the kernel's own sum, and a maximum timeout of a second keeps it short.
/// </summary>
public sealed class RetransmissionTimeTests
{
    /// <summary>ICMP unreachables keep the backoff of both at about three seconds for as long as the kernel retransmits.</summary>
    [Fact]
    public void NoAckFor_HostLeftItsLanOrIsUnreachable_IsProvenDeadAfter10s()
    {
        Assert.SkipWhen(ServerHome.Find("nft") is null, "nftables is not installed");
        using var path = NetworkPath.Fast();
        (SocketRange left, _) = path.Connect(to: NetworkPath.Far4(3));
        (SocketRange left6, _) = path.Connect(to: NetworkPath.Far6(3));
        (SocketRange unreachable, _) = path.Connect(to: NetworkPath.Far4(4));
        (SocketRange sending, _) = path.Connect();
        (SocketRange idle, _) = path.Connect();
        Assert.SkipWhen(idle.Info("series") < 0, "the kernel shows no time of retransmitting (Linux 6.7)");
        SocketRange[] dead = [left, left6, unreachable];
        long[] ports = [.. dead.Select(static socket => socket.Port)];
        using var watch = new AckWatch(path);

        path.Vanish(3);
        path.InNear($"ip neigh flush dev {NetworkPath.Device}");
        path.InFar($"""
            nft add table ip away
            nft add chain ip away in '{"{"} type filter hook input priority 0; {"}"}'
            nft add rule ip away in ip daddr {NetworkPath.Far4(4)} reject with icmp type host-unreachable
            """);
        var sent = new Dictionary<long, long>();
        foreach (SocketRange socket in dead)
        {
            sent[socket.Port] = socket.Send();
            watch.Sent(socket, sent[socket.Port]);
        }

        var provenAfter = new Dictionary<long, long>();
        Until.True(
            () =>
            {
                sending.Send();
                Result result = path.Tool("-n", "-4", "-6", "-d", $"{NetworkPath.Port}", "--no-ack-for", "10s", "--json").Run().Expect(0);
                long now = Stopwatch.GetTimestamp() * 1000 / Stopwatch.Frequency;
                foreach ((long port, string outcome) in ProbeTests.Outcomes(result))
                {
                    _ = outcome == "would_close" && provenAfter.TryAdd(port, now - sent.GetValueOrDefault(port));
                }

                return ports.All(provenAfter.ContainsKey);
            },
            "the proof of each");

        Assert.Empty(watch.Excesses);
        Assert.Equal(ports.Order(), provenAfter.Keys.Order());
        Assert.All(provenAfter.Values, static ms => Assert.InRange(ms, 10_000, 14_000));
        path.Tool("-4", "-6", "-d", $"{NetworkPath.Port}", "--no-ack-for", "10s").Run().Expect(0, "matched=5 closed=3");
        Assert.All(dead, static socket => Assert.Equal(["1 ECONNABORTED"], socket.Views));
        Assert.Equal(["1 alive"], sending.Views);
        Assert.Equal(["1 alive"], idle.Views);
    }

    /// <summary>
    /// Timeouts of the handshake, spurious ones and those of an outage that has ended remain in the kernel's sum; without SACK and
    /// timestamps the sum even grows while nothing is outstanding.
    /// </summary>
    [Theory]
    [Values(1, 0)]
    public void NoAckFor_EarlierTimeouts_AreNeverPartOfTheProof(int sackAndTimestamps)
    {
        const int SlowMs = 700; // a round trip takes longer than the first timeout of SYN and SYN-ACK
        const int NearPort = 7001;
        using var path = NetworkPath.Slow(0);
        string options = $"sysctl -qw net.ipv4.tcp_sack={sackAndTimestamps} net.ipv4.tcp_timestamps={sackAndTimestamps}";
        path.InNear(options);
        path.InFar(options);
        path.Near.Ask($"listen :: {NearPort}");
        (SocketRange quick, _) = path.Connect();
        (SocketRange spurious, _) = path.Connect();
        path.Delay(SlowMs);
        (SocketRange repeatedSyn, _) = path.Connect();
        SocketRange repeatedSynAck;
        do
        {
            path.Far.Connect($"{NetworkPath.Near4} {NearPort} 1");
            repeatedSynAck = path.Near.Accept(NearPort, 1);
        }
        while (repeatedSynAck.Info("series") == 0); // a SYN that was retransmitted a moment before the timeout has delayed it

        using var watch = new AckWatch(path);
        SocketRange[] all = [quick, spurious, repeatedSyn, repeatedSynAck];

        SendAcknowledged(watch, spurious);
        path.Delay(0);
        foreach (SocketRange socket in all)
        {
            // Until the timeout has adapted to the faster path.
            Until.True(() => SendAcknowledged(watch, socket).Info("rto") <= 400, "a short timeout");
        }

        path.Cut();
        watch.Sent(quick, quick.Send());
        Until.True(() => quick.Info("retransmits") >= 3, "retransmissions");
        path.Restore();
        Until.True(() => quick.Info("unacked") == 0, "the end of the outage");
        Thread.Sleep(1_500); // nothing is outstanding
        Assert.All(all, static socket => Assert.NotEqual(0, socket.Info("series")));

        path.Cut();
        foreach (SocketRange socket in all)
        {
            watch.Sent(socket, socket.Send());
        }

        Until.True(() => all.All(socket => socket.Info("retransmits") >= 2 && watch.Longest(socket) >= 3_000), "the proof of each");

        Assert.Empty(watch.Excesses);
    }

    /// <summary>Retransmissions and window probes every second: their timeouts are no longer than that.</summary>
    [Fact]
    public void NoAckFor_MaximumTimeoutOfASecond_ProvesNoMoreThanIsTrue()
    {
        using var path = NetworkPath.Fast();
        Assert.SkipUnless(File.Exists("/proc/sys/net/ipv4/tcp_rto_max_ms"), "the kernel's maximum timeout cannot be set (Linux 6.15)");
        path.InNear("sysctl -qw net.ipv4.tcp_rto_max_ms=1000");
        path.InFar("sysctl -qw net.ipv4.tcp_rmem='8192 8192 8192'");
        (SocketRange full, _) = path.Connect(to: NetworkPath.Far4(3));
        (SocketRange near, _) = path.Connect(to: NetworkPath.Far4(3));
        full.FillExactly();
        full.WaitQuiet(12_000); // the age also bounds the timeouts
        using var watch = new AckWatch(path);

        path.InNear($"ip neigh change {NetworkPath.Far4(3)} dev {NetworkPath.Device} nud permanent");
        path.Vanish(3);
        watch.Sent(near, near.Send());
        watch.Sent(full, full.Send());
        Until.True(() => full.Info("probes") >= 8 && near.Info("retransmits") >= 8, "probes and retransmissions");

        Assert.Empty(watch.Excesses);
        Assert.InRange(watch.Longest(near), 3_000u, uint.MaxValue);
        Assert.InRange(watch.Longest(full), 3_000u, uint.MaxValue);
    }

    private static SocketRange SendAcknowledged(AckWatch watch, SocketRange socket)
    {
        watch.Sent(socket, socket.Send());
        Until.True(() => socket.Info("unacked") == 0, "the acknowledgement");
        return socket;
    }
}
