namespace TcpCloser.KernelTests;

/// <summary>
/// <c>--probe</c> reports peers that it could not probe, with each cause, in summary, warning, records, metrics and exit
/// status.
/// </summary>
public sealed class ProbeReasonTests
{
    private const string Port = "7000";
    private const int MptcpPort = 7001;
    private const int AcceptPort = 7002;
    private const int Quiet = 1_100;

    [Fact]
    public void Probe_PeersThatCannotBeProbed_AreReportedWithTheirReasons()
    {
        using var path = NetworkPath.Fast();
        using TemporaryDirectory directory = new();
        string metrics = directory.File("rule.prom");
        var expected = new Dictionary<long, string>();
        (SocketRange living, _) = path.Connect();
        expected[living.Port] = "answered";
        (SocketRange silent, _) = path.Connect(1, NetworkPath.Far4(3));
        expected[silent.Port] = "would_close";

        // No process shows these sockets.
        (SocketRange posted, SocketRange farPosted) = path.Connect();
        expected[posted.Port] = "unasked no_process";
        posted.Do("post");
        (SocketRange registered, SocketRange farRegistered) = path.Connect();
        long registeredPort = registered.Port;
        bool hasRing = TryRegister(registered);
        expected[registeredPort] = hasRing ? "unasked no_process" : "answered";
        _ = path.Near.Ask($"listen :: {AcceptPort}");
        _ = path.Far.Connect($"{NetworkPath.Near4} {AcceptPort} 1"); // no process accepts it
        expected[AcceptPort] = "unasked no_process";

        // For these there is no proof.
        (SocketRange restored, _) = path.Connect();
        restored.Set(6, 19, 1);
        expected[restored.Port] = "unproved repair";
        (SocketRange closeWait, SocketRange hasShutDown) = path.Connect();
        hasShutDown.Do("shutdown");
        expected[closeWait.Port] = "unproved state";
        (SocketRange finWait1, _) = path.Connect(1, NetworkPath.Far4(3));
        expected[finWait1.Port] = "unproved state";
        (SocketRange finWait2, _) = path.Connect();
        finWait2.Do("shutdown");
        expected[finWait2.Port] = "unproved state";
        bool hasMptcp = File.Exists("/proc/sys/net/mptcp/enabled");
        if (hasMptcp)
        {
            path.Far.Ask($"listen 10.9.0.2 {MptcpPort} mptcp");
            SocketRange mptcp = path.Near.Connect($"10.9.0.2 {MptcpPort} 1 mptcp");
            _ = path.Far.Accept(MptcpPort, 1);
            expected[mptcp.Port] = "unproved mptcp";
        }

        string[] options = living.AllOptions;
        Thread.Sleep(Quiet); // whoever was heard from within a second is not probed
        path.Vanish(3);
        finWait1.Do("shutdown");

        Result result = path.Tool(
            "-n", "--dst", "10.9.0.0/24", "--state", "connected", "--probe", "3s", "--json", "--metrics", metrics).Run().Expect(1);

        // If the machine has processes that cannot be inspected, one of them might hold the socket.
        Dictionary<long, string> verdicts = ProbeTests.Verdicts(result).ToDictionary(
            static pair => pair.Key, static pair => pair.Value.Replace("EACCES (permission denied)", "no_process"));
        Assert.Equal(expected.OrderBy(static pair => pair.Key), verdicts.OrderBy(static pair => pair.Key));
        int unasked = hasRing ? 3 : 2;
        int unproved = hasMptcp ? 5 : 4;
        Assert.Equal((expected.Count, 1, hasRing ? 1 : 2, unproved, unasked), (result.Summary("matched"), result.Summary("idle"),
            result.Summary("answered"), result.Summary("unproved"), result.Summary("unasked")));
        Assert.Contains($"\"answered\":{(hasRing ? 1 : 2)},\"unproved\":{unproved},\"unasked\":{unasked},", result.Stdout, StringComparison.Ordinal);
        Assert.Contains($"tcp_closer_unasked_connections {unasked}", File.ReadAllLines(metrics));
        Assert.Contains($"tcp_closer_connections_total{{outcome=\"unproved\"}} {unproved}", File.ReadAllLines(metrics));
        string warning = Assert.Single(result.Log, static line => line.Contains(" warning "));
        Assert.Contains($"{unasked} of ", warning, StringComparison.Ordinal);
        Assert.Equal(options, living.AllOptions);
        Assert.Equal(["1 alive"], silent.Views);
        Assert.All([farPosted, farRegistered], static far => Assert.Equal(["1 alive"], far.Views));
        Assert.Contains(" repair=01000000 ", restored.AllOptions[0], StringComparison.Ordinal);
    }

    /// <summary>If no peer at all can be probed, nothing was possible.</summary>
    [Fact]
    public void Probe_NoPeerCanBeProbed_Exits3AtOnce()
    {
        using var path = NetworkPath.Fast();
        (SocketRange posted, SocketRange far) = path.Connect(3);
        posted.Do("post");
        far.WaitQuiet(Quiet);

        Result result = path.Tool("-d", Port, "--probe", "1m").Run().Expect(3, "matched=3 idle=0 unasked=3");

        Assert.InRange(result.Summary("time"), 0, 10_000);
        Assert.Single(result.Log, static line => line.Contains(" warning none of the 3 connections could be probed; "));
        Assert.Equal(["3 alive"], far.Views);
    }

    /// <summary>A connection that is not accepted yet is not probed; after accept(2) it is.</summary>
    [Fact]
    public void Probe_ConnectionAcceptedSinceTheLastRun_IsProbed()
    {
        using var path = NetworkPath.Fast();
        _ = path.Near.Ask($"listen :: {AcceptPort}");
        SocketRange far = path.Far.Connect($"{NetworkPath.Near4} {AcceptPort} 2");
        far.WaitQuiet(Quiet);
        string[] arguments = ["-s", $"{AcceptPort}", "--probe", "3s"];

        path.Tool(arguments).Run().Expect(3, "unasked=2");
        SocketRange near = path.Near.Accept(AcceptPort, 2);
        path.Tool(arguments).Run().Expect(0, "answered=2");
        Assert.Equal(["2 alive"], near.Views);
        Assert.All(near.AllOptions, static line => Assert.Contains("reuse=01000000 ", line, StringComparison.Ordinal)); // inherited from the listener
    }

    /// <summary>
    /// On a slow path an answer may take longer than TIME: silence proves nothing then, and a longer TIME gets the
    /// answer.
    /// </summary>
    [Fact]
    public void Probe_SlowPathAndShortTime_IsUnproved()
    {
        using var path = NetworkPath.Slow(0);
        (SocketRange near, SocketRange far) = path.Connect(2);
        path.Delay(600);
        for (int i = 0; i < 3; i++)
        {
            near.Send();
            Until.True(() => near.Infos("unacked").All(static unacked => unacked == 0), "the acknowledgement over the slow path");
        }

        Assert.InRange(near.Infos("rto").Min(), 1_001, 5_000);
        near.WaitQuiet(Quiet);
        long segments = near.Info("segs-out");

        Result tooShort = path.Tool("-d", Port, "--probe", "4s", "--json").Run().Expect(0);
        Assert.Equal(segments, near.Info("segs-out"));
        Result longEnough = path.Tool("-d", Port, "--probe", "20s", "--json").Run().Expect(0);

        Assert.All(ProbeTests.Verdicts(tooShort).Values, static verdict => Assert.Equal("unproved slow_path", verdict));
        Assert.All(ProbeTests.Verdicts(longEnough).Values, static verdict => Assert.Equal("answered", verdict));
        Assert.Equal(["2 alive"], near.Views);
        Assert.Equal(["2 alive"], far.Views);
    }

    /// <summary>
    /// Connections that end during the probe, but not by the peer's reset, have vanished: by TCP_USER_TIMEOUT, by keepalive, by
    /// their owner.
    /// </summary>
    [Fact]
    public void Probe_ConnectionEndsDuringTheProbe_IsVanishedNotReset()
    {
        using var path = NetworkPath.Fast();
        (SocketRange timedOut, _) = path.Connect(1, NetworkPath.Far4(3), "user-timeout=5000");
        (SocketRange gaveUp, _) = path.Connect(1, NetworkPath.Far4(3), "keepalive=3,1,3");
        (SocketRange closed, _) = path.Connect(1, NetworkPath.Far4(3));
        (SocketRange aborted, _) = path.Connect(1, NetworkPath.Far4(3));
        (SocketRange disconnected, _) = path.Connect(1, NetworkPath.Far4(3));
        (SocketRange silent, _) = path.Connect(1, NetworkPath.Far4(3));
        (SocketRange reset, SocketRange rebooted) = path.Connect(1, NetworkPath.Far4(4));
        Dictionary<long, string> expected = ((SocketRange[])[timedOut, gaveUp, closed, aborted, disconnected]).ToDictionary(static socket => socket.Port, static _ => "vanished");
        expected[silent.Port] = "would_close";
        expected[reset.Port] = "reset";
        silent.WaitQuiet(Quiet);
        path.Vanish(3);
        path.Vanish(4);
        rebooted.CloseSilently();
        timedOut.Send();
        long segments = silent.Info("segs-out");

        using Command tool = path.Tool("-n", "-d", Port, "--probe", "10s", "--json").Start();
        Until.True(() => silent.Info("segs-out") > segments, "the first probe");
        closed.Do("close");
        aborted.Do("abort");
        disconnected.Do("disconnect");
        path.Return(4);
        Result result = tool.WaitForEnd().Expect(0);

        Assert.Equal(expected.OrderBy(static pair => pair.Key), ProbeTests.Outcomes(result).OrderBy(static pair => pair.Key));
        Assert.Equal(("1 ETIMEDOUT", "1 ETIMEDOUT", "1 ECONNRESET"), (timedOut.Views[0], gaveUp.Views[0], reset.Views[0]));
        result.ExpectSummary("matched=7 vanished=5 closed=1");
    }

    private static bool TryRegister(SocketRange socket)
    {
        try
        {
            socket.Do("register");
            return true;
        }
        catch (InvalidOperationException failure) when (failure.Message.Contains("io_uring_setup"))
        {
            return false; // this kernel has no io_uring, or a seccomp filter forbids it
        }
    }
}
