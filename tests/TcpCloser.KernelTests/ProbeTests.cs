namespace TcpCloser.KernelTests;

/// <summary><c>--probe</c>: the verdict for every kind of peer.</summary>
public sealed class ProbeTests
{
    private const string Port = "7000";
    private const string OtherPort = "7070";
    /// <summary>A peer that was heard from within a second is not probed.</summary>
    private const int Quiet = 1_100;

    /// <summary>The ways in which a peer becomes silent, and one that resets the connection when it is probed.</summary>
    [Theory]
    [Rows("10.9.0. | 10.99.0.1 | -4", "fd09:: | fd99::1 | -6", "::ffff:10.9.0. | ::ffff:10.99.0.1 | -4")]
    public void Probe_PeersVanishInEveryWay_ClosesThemAndSkipsTheLiving(string network, string routed, string family)
    {
        using var path = NetworkPath.Fast();
        path.InNear("ip route add 10.99.0.0/24 dev slow0; ip -6 route add fd99::/64 dev slow0");
        path.InFar("ip addr add 10.99.0.1/32 dev slow0; ip addr add fd99::1/128 dev slow0 nodad");
        (SocketRange living, _) = path.Connect(3, network + 2);
        (SocketRange noAddress, _) = path.Connect(2, network + 3);
        (SocketRange noRoute, _) = path.Connect(2, routed);
        (SocketRange dropped, _) = path.Connect(2, network + 4);
        (SocketRange reset, SocketRange rebooted) = path.Connect(2, network + 5);
        reset.WaitQuiet(Quiet);
        path.Vanish(3);
        path.InNear("ip route del 10.99.0.0/24 dev slow0; ip -6 route del fd99::/64 dev slow0");
        path.FilterFar("ip daddr 10.9.0.4 drop; ip6 daddr fd09::4 drop");
        rebooted.CloseSilently();

        Result result = path.Tool(family, "-d", Port, "--probe", "3s", "-v").Run().Expect(0);

        Assert.Equal(["3 alive"], living.Views);
        Assert.All([noAddress, noRoute, dropped], static socket => Assert.Equal(["2 ECONNABORTED"], socket.Views));
        Assert.Equal(["2 ECONNRESET"], reset.Views);
        result.ExpectSummary("matched=11 idle=8 closed=8 answered=3");
        Assert.Equal(3, result.Log.Count(static line => line.Contains(" reason=answered")));
        Assert.Equal(6, result.Destroyed.Length);
        Assert.Equal(2, result.Log.Count(static line => line.Contains(" info reset ")));
    }

    [Fact]
    public void Probe_LinkGoesDown_ClosesItsConnections()
    {
        using var path = NetworkPath.Fast();
        (SocketRange near, _) = path.Connect(3);
        (SocketRange v6, _) = path.Connect(3, NetworkPath.Far6(2));
        near.WaitQuiet(Quiet);
        path.InFar("ip link set slow0 down");
        path.Tool("-46", "-d", Port, "--probe", "3s").Run().Expect(0, "matched=6 closed=6");
        Assert.All([near, v6], static sockets => Assert.Equal(["3 ECONNABORTED"], sockets.Views));
    }

    /// <summary>Probed connections end up like their twins on another port: they are alive, and outstanding data arrives.</summary>
    [Fact]
    public void Probe_OutageEndsWithinTime_PeersAreAlive()
    {
        using var path = NetworkPath.Fast();
        (SocketRange quiet, _) = path.Connect(3);
        (SocketRange sending, _) = path.Connect(3);
        (SocketRange twin, _) = path.Connect(3, port: NetworkPath.OtherPort);
        quiet.WaitQuiet(Quiet);
        path.FilterFar("tcp dport { 7000, 7070 } drop");
        sending.Send();
        twin.Send();
        long segments = quiet.Info("segs-out");

        using Command tool = path.Tool("-d", Port, "--probe", "5s", "--json").Start();
        Until.True(() => quiet.Info("segs-out") >= segments + 3, "three unanswered probes");
        path.Unfilter();
        tool.WaitForEnd().Expect(0, "matched=6 answered=6 idle=0");

        Assert.All([quiet, sending, twin], static sockets => Assert.Equal(["3 alive"], sockets.Views));
        Until.True(() => sending.Infos("unacked").All(static unacked => unacked == 0), "the acknowledgement of what was sent");
        Until.True(() => twin.Infos("unacked").All(static unacked => unacked == 0), "the acknowledgement of what the twin sent");
    }

    /// <summary>
    /// A socket that several processes have open is probed through one of them, and through the child if the parent has closed
    /// it.
    /// </summary>
    [Fact]
    public void Probe_SocketSharedByForkedProcesses_IsProbedThroughOne()
    {
        using var path = NetworkPath.Fast();
        (SocketRange shared, _) = path.Connect();
        (SocketRange inherited, SocketRange farInherited) = path.Connect();
        (SocketRange vanished, SocketRange farVanished) = path.Connect(1, NetworkPath.Far4(3));
        long port = inherited.Port;
        long vanishedPort = vanished.Port;
        string[] options = shared.AllOptions;
        path.Near.Ask("fork");
        inherited.Do("close");
        vanished.Do("close");
        Thread.Sleep(Quiet);
        path.Vanish(3);

        Result result = path.Tool("-d", Port, "--probe", "3s", "--json").Run().Expect(0);

        Dictionary<long, string> outcomes = Outcomes(result);
        Assert.Equal(("answered", "answered", "destroyed"), (outcomes[shared.Port], outcomes[port], outcomes[vanishedPort]));
        Assert.Equal(options, shared.AllOptions);
        Assert.Equal(["1 alive"], farInherited.Views);
        Assert.Equal(["1 alive"], farVanished.Views); // the reset did not arrive
    }

    /// <summary>
    /// Nothing is sent to a peer that was just heard from; any segment counts, including the acknowledgement of application
    /// data.
    /// </summary>
    [Fact]
    public void Probe_PeerHeardFromWithinASecond_IsNotProbed()
    {
        using var path = NetworkPath.Fast();
        (SocketRange near, SocketRange far) = path.Connect(20);
        near.WaitQuiet(Quiet);
        long[] before = near.Infos("segs-out");
        far.Send();
        path.Tool("-n", "-d", Port, "--probe", "3s", "--json").Run().Expect(0, "answered=20");
        Assert.Equal(before.Select(static segments => segments + 1), near.Infos("segs-out")); // the acknowledgement of that byte
    }

    /// <summary>
    /// Connections that --no-ack-for proves dead are not probed, and are closed together with those that do not answer the
    /// probe.
    /// </summary>
    [Fact]
    public void Probe_WithNoAckFor_ClosesConnectionsThatEitherProvesDead()
    {
        using var path = NetworkPath.Fast();
        (SocketRange proven, _) = path.Connect(2, NetworkPath.Far4(3));
        (SocketRange silent, _) = path.Connect(2, NetworkPath.Far4(3));
        (SocketRange justSent, _) = path.Connect(2, NetworkPath.Far4(3));
        (SocketRange living, _) = path.Connect(2);
        silent.WaitQuiet(Quiet);
        path.Vanish(3);
        proven.Send();
        Until.True(() => DryRun("--no-ack-for", "2s").Values.Count(static outcome => outcome == "would_close") == 2, "the proof");
        justSent.Send();
        Assert.Equal(2, DryRun("--no-ack-for", "2s").Values.Count(static outcome => outcome == "would_close"));
        long[] segments = proven.Infos("segs-out");

        Result result = path.Tool("-d", Port, "--no-ack-for", "2s", "--probe", "3s", "--json").Run().Expect(0);

        Dictionary<long, string> outcomes = Outcomes(result);
        Assert.All([proven, silent, justSent], sockets => Assert.All(sockets.Ports, port => Assert.Equal("destroyed", outcomes[port])));
        Assert.All(living.Ports, port => Assert.Equal("answered", outcomes[port]));
        result.ExpectSummary("matched=8 closed=6 answered=2");

        // Retransmissions and the final reset; probes would be five more.
        long[] after = proven.Infos("segs-out");
        Assert.All(after.Zip(segments), static pair => Assert.InRange(pair.First - pair.Second, 0, 3));

        Dictionary<long, string> DryRun(params string[] options) => Outcomes(path.Tool(["-n", "-d", Port, "--json", .. options]).Run().Expect(0));
    }

    /// <summary>If --no-ack-for proves all of them dead, no peer is probed and the run does not wait.</summary>
    [Fact]
    public void Probe_NoAckForProvesAllDead_DoesNotWait()
    {
        using var path = NetworkPath.Fast();
        (SocketRange proven, _) = path.Connect(2, NetworkPath.Far4(3));
        path.Vanish(3);
        proven.Send();
        Until.True(() => path.Tool("-n", "-d", Port, "--no-ack-for", "2s").Run().Expect(0).Summary("idle") == 2, "the proof");
        Result result = path.Tool("-d", Port, "--no-ack-for", "2s", "--probe", "1m").Run().Expect(0, "closed=2 answered=0 unasked=0");
        Assert.InRange(result.Summary("time"), 0, 10_000);
    }

    /// <summary>The health of a machine: every key, with the one that has most silent peers first.</summary>
    [Fact]
    public void GroupBy_WithProbe_CountsVerdictsOfEveryKey()
    {
        using var path = NetworkPath.Fast();
        (SocketRange near, SocketRange far) = path.Connect(4);
        (SocketRange two, _) = path.Connect(2, NetworkPath.Far4(3));
        (SocketRange three, _) = path.Connect(3, NetworkPath.Far4(4));
        (SocketRange ended, _) = path.Connect(2, NetworkPath.Far4(5));
        (SocketRange hidden, _) = path.Connect(1, NetworkPath.Far4(6));
        ended.Do("shutdown");
        far[0].Do("shutdown");
        hidden.Do("post");
        Thread.Sleep(Quiet);
        path.Vanish(3);
        path.Vanish(4);
        string[] arguments = ["--group-by", "peer", "-d", Port, "--probe", "3s"];

        using Command asJson = path.Tool([.. arguments, "--json"]).Start();
        Result table = path.Tool(arguments).Run().Expect(1);
        Result json = asJson.WaitForEnd().Expect(1);

        string[] lines = table.Stdout.TrimEnd('\n').Split('\n');
        Assert.Matches("^PEER +TOTAL +ANSWERED +SILENT +UNPROVED +UNASKED +OLDEST ", lines[0]);
        Assert.Matches(@"^10\.9\.0\.4 +3 +0 +3 +0 +0 +\d+s ", lines[1]);
        Assert.Matches(@"^10\.9\.0\.3 +2 +0 +2 +0 +0 +\d+s ", lines[2]);
        string[] others = [.. lines[3..].Select(static line => line[..line.LastIndexOf('s')])];
        Assert.Contains(others, static line => Regex.IsMatch(line, @"^10\.9\.0\.2 +4 +3 +0 +1 +0 +\d+$"));
        Assert.Contains(others, static line => Regex.IsMatch(line, @"^10\.9\.0\.5 +2 +0 +0 +2 +0 +\d+$"));
        Assert.Contains(others, static line => Regex.IsMatch(line, @"^10\.9\.0\.6 +1 +0 +0 +0 +1 +\d+$"));
        Assert.Equal(6, lines.Length);
        string[] groups = ConnectionRecord.Objects(json, "group");
        Assert.Equal(5, groups.Length);
        Assert.Contains("\"key\":\"10.9.0.4\",\"total\":3,\"answered\":0,\"silent\":3,\"unproved\":0,\"unasked\":0,", groups[0], StringComparison.Ordinal);
        Assert.Single(groups, static line => line.Contains("\"key\":\"10.9.0.2\",\"total\":4,\"answered\":3,\"silent\":0,\"unproved\":1,\"unasked\":0,"));
        table.ExpectSummary("matched=12 idle=5 answered=3 unproved=3 unasked=1");
        Assert.Equal(["3 alive"], three.Views);
    }

    /// <summary>Two options together select only connections that meet both, and no other peer is probed.</summary>
    [Fact]
    public void Probe_ConnectionsNotIdleOrOnOtherPorts_AreNotProbed()
    {
        using var path = NetworkPath.Fast();
        (SocketRange probed, _) = path.Connect(2, NetworkPath.Far4(3));
        (SocketRange recent, SocketRange farRecent) = path.Connect(2, NetworkPath.Far4(3));
        (SocketRange other, _) = path.Connect(2, NetworkPath.Far4(3), port: NetworkPath.OtherPort);
        other.WaitQuiet(5_000);
        farRecent.Send();
        recent.Do("read");
        recent.WaitQuiet(Quiet);
        path.Vanish(3);
        (long Recent, long Other) segments = (recent.Info("segs-out"), other.Info("segs-out"));

        path.Tool("-d", Port, "-t", "4s", "--probe", "3s").Run().Expect(0, "matched=4 closed=2");

        Assert.Equal(segments, (recent.Info("segs-out"), other.Info("segs-out")));
        Assert.Equal(["2 ECONNABORTED"], probed.Views);
        Assert.Equal("2 alive", recent.Views[0]);
        Assert.Equal("2 alive", other.Views[0]);
        path.Tool("-n", "-d", OtherPort, "--probe", "3s").Run().Expect(0, "idle=2");
    }

    internal static Dictionary<long, string> Outcomes(Result result) =>
        ConnectionRecord.Read(result).ToDictionary(static record => (long)record.LocalPort, static record => record.Outcome);

    /// <summary>The outcome and the reason of each connection, by its local port: <c>unproved mptcp</c>.</summary>
    internal static Dictionary<long, string> Verdicts(Result result) =>
        ConnectionRecord.Read(result).ToDictionary(static record => (long)record.LocalPort, static record => $"{record.Outcome} {record.Reason}".TrimEnd());
}
