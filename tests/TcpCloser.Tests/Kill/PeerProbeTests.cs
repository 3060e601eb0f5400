namespace TcpCloser.Tests.Kill;

/// <summary>The verdict on each peer, and what a probe changes.</summary>
public sealed class PeerProbeTests : ProbeTestBase
{
    private static readonly Dictionary<string, Action<FakeTcp>> s_changes = new()
    {
        ["a segment arrives"] = static socket => socket.Peer!.Hear(),
        ["the connection ends"] = static socket => socket.End(FakeHost.ByItself),
        ["repair mode is on"] = static socket => socket.Options[(Tcp.IPPROTO_TCP, Tcp.TCP_REPAIR)] = 1,
        ["tcp_info is missing"] = static socket => socket.Dumped = socket.Dumped with { InfoLength = 0 },
        ["its holder closes it"] = static socket => socket.Dumped = socket.Dumped with { State = TcpState.FinWait1 },
        ["data is outstanding"] = static socket => socket.Dumped = socket.Dumped with { Unacked = 1, NotSent = 5 },
    };

    [Theory]
    [Rows("Acknowledge | 0 | Answered | 1", "Acknowledge | 1 | Answered | 2", "Acknowledge | 3 | Answered | 4", "Acknowledge | 4 | Answered | 5",
        "Nothing | 0 | Pending | 5", "Reset | 0 | Reset | 1")]
    public void Probe_PeerAnswersAfterSomeProbesOrNot_DecidesTheVerdict(string answer, int lost, string outcome, int probes)
    {
        FakeTcp socket = Add(new FakePeer(Enum.Parse<FakeAnswer>(answer), Quiet) { Loses = lost });
        Assert.Equal([outcome], RunProbe("3s"));
        Assert.Equal(probes, socket.Peer!.Probed);
    }

    /// <summary>README uses 10s. Every test once used 3s, while every probe above 4s never ended.</summary>
    [Theory]
    [Rows("3s | 3000 | 5", "4s | 4000 | 7", "4500ms | 4500 | 7", "5s | 5000 | 8", "10s | 10000 | 10", "30s | 30000 | 10",
        "2m | 120000 | 10", "5m | 300000 | 10")]
    public void Probe_PeerNeverAnswers_IsSilentAtTheGivenTime(string time, int ms, int probes)
    {
        FakeTcp socket = Add(FakeAnswer.Nothing);
        long before = Host.Clock.NowMs;
        Assert.Equal(["Pending"], RunProbe(time));
        Assert.InRange(Host.Clock.NowMs - before, ms, ms + 1);
        Assert.Equal(probes, socket.Peer!.Probed);
    }

    /// <summary>The clock advances between any two reads, so no difference of two reads may become an endless wait.</summary>
    [Theory]
    [Values(1, 40, 700, 11_000)]
    public void Probe_ClockAdvancesWithEveryRead_StillEnds(int perLook)
    {
        Host.Clock.MsPerReading = perLook;
        FakeTcp socket = Add(FakeAnswer.Nothing);
        Assert.Equal(["Pending"], RunProbe("3s"));
        Assert.InRange(socket.Peer!.Probed, ProbeSchedule.MinQuestions, 10);
    }

    /// <summary>One call sends the probe; the flag that it clears is set again at once, and nothing else changes.</summary>
    [Theory]
    [Values(1, 0)]
    public void Probe_OneProbe_ChangesOneFlagAndRestoresIt(int reuseAddress)
    {
        FakeTcp socket = Add(FakeAnswer.Acknowledge);
        socket.Options[(Socket.SOL_SOCKET, Socket.SO_REUSEADDR)] = reuseAddress;
        Dictionary<(int, int), int> before = new(socket.Options);
        RunProbe("3s");
        Assert.Equal(
            reuseAddress == 0 ? [(Tcp.TCP_REPAIR, Tcp.TCP_REPAIR_OFF)] : [(Tcp.TCP_REPAIR, Tcp.TCP_REPAIR_OFF), (Socket.SO_REUSEADDR, 1)],
            socket.OptionsSet);
        Assert.Equal(before, socket.Options);
    }

    [Fact]
    public void Probe_PeerHeardFromWithinASecond_IsNotProbed()
    {
        FakeTcp socket = Add(new FakePeer(FakeAnswer.Nothing, quietMs: 999));
        FakeTcp other = Add(new FakePeer(FakeAnswer.Nothing, quietMs: 1_000));
        Assert.Equal(["Answered", "Pending"], RunProbe("3s"));
        Assert.Equal(0, socket.Peer!.Probed);
        Assert.Equal(5, other.Peer!.Probed);
    }

    [Theory]
    [Rows("CloseWait | UnprovedState", "FinWait2 | UnprovedState", "SynSent | UnprovedState", "Listen | UnprovedState",
        "Established | Pending")]
    public void Probe_StateOtherThanEstablished_IsNotProbed(byte state, string outcome)
    {
        FakeTcp socket = Add(FakeAnswer.Nothing);
        socket.Dumped = socket.Dumped with { State = state };
        Assert.Equal([outcome], RunProbe("3s"));
        Assert.Equal(state == TcpState.Established, socket.OptionsSet.Count > 0);
        Assert.Equal(
            state == TcpState.Established ? [] : ["--probe works only for established connections, and the only connection that matched is in another state: use -t for these"],
            Sink.Notices);
    }

    /// <summary>The backoff of data that is being retransmitted shows nothing about the path.</summary>
    [Theory]
    [Rows("750 | 0 | 20 | Pending", "751 | 0 | 20 | UnprovedPath", "60000 | 8 | 20 | Pending", "60000 | 8 | 700 | UnprovedPath")]
    public void Probe_PathTooSlowForTheTime_IsUnproven(uint rtoMs, byte backoff, uint rttMs, string outcome)
    {
        FakeTcp socket = Add(FakeAnswer.Nothing);
        socket.Dumped = socket.Dumped with { Rto = rtoMs * 1_000, Backoff = backoff, Rtt = rttMs * 1_000, RttVar = 10_000 };
        Assert.Equal([outcome], RunProbe("3s"));
    }

    [Fact]
    public void Probe_SocketInRepairMode_IsSkipped()
    {
        FakeTcp socket = Add(FakeAnswer.Nothing);
        socket.Options[(Tcp.IPPROTO_TCP, Tcp.TCP_REPAIR)] = 1;
        Assert.Equal(["UnprovedRepair"], RunProbe("3s"));
        Assert.Empty(socket.OptionsSet);
    }

    [Fact]
    public void Probe_MptcpSubflow_IsNotFetched()
    {
        ConnectionList candidates = Host.Candidates(Add(FakeAnswer.Nothing));
        candidates[0].IsMptcp = true;
        Assert.Equal(["UnprovedMptcp"], RunProbe("3s", candidates));
        Assert.DoesNotContain("fetch socket", Host.Faults.Calls);
    }

    [Fact]
    public void Probe_ProvenDeadByNoAck_IsNotProbed()
    {
        ConnectionList candidates = Host.Candidates(Add(FakeAnswer.Nothing));
        candidates[0].IsProvenDead = true;
        Assert.Equal(["Pending"], RunProbe("3s", candidates));
        Assert.Empty(Host.Faults.Calls);
        Assert.Empty(Sink.UnaskedPeers);
    }

    /// <summary>The change happens right before the second probe, after the last lookup.</summary>
    [Theory]
    [Rows("a segment arrives | Answered", "the connection ends | Vanished", "repair mode is on | UnprovedRepair",
        "tcp_info is missing | Unasked", "its holder closes it | UnprovedState", "data is outstanding | Pending")]
    public void Probe_ChangeBeforeTheSecondProbe_DecidesTheVerdict(string change, string outcome)
    {
        FakeTcp socket = Add(FakeAnswer.Nothing);
        Host.Faults.BeforeFirst("fetch socket", () => s_changes[change](socket), () => socket.Peer!.Probed == 1);
        Assert.Equal([outcome], RunProbe("3s"));
        Assert.Equal(change is "data is outstanding" ? 5 : 1, socket.Peer!.Probed);
    }

    /// <summary>
    /// The connection ends after the probe. If the answer ended it, its holder still has the socket, now closed, and a segment was
    /// received.
    /// </summary>
    [Theory]
    [Rows("reset | Reset", "timed out | Vanished", "finished | Vanished", "disconnected | Vanished", "closed by its holder | Vanished",
        "replaced | Vanished", "not fetched | Vanished")]
    public void Probe_ConnectionEndsAfterTheProbe_IsResetOnlyByASegment(string how, string outcome)
    {
        FakeTcp socket = Add(FakeAnswer.Nothing);
        ConnectionList candidates = Host.Candidates();
        FakeTcp other = Add(FakeAnswer.Nothing);
        Host.Faults.BeforeFirst("send", when: () => socket.Peer!.Probed > 0, change: () =>
        {
            if (how is "disconnected")
            {
                socket.Peer!.SegmentsBefore = 0;
            }
            else if (how is not "timed out")
            {
                socket.Peer!.Hear();
            }

            socket.Dumped = how is "finished" ? socket.Dumped with { BytesReceived = 101 } : socket.Dumped;
            socket.End(FakeHost.ByItself);
            if (how is "closed by its holder")
            {
                Owner.Descriptors.Clear();
            }
            else if (how is "replaced")
            {
                Owner.Descriptors[3] = other.Link;
            }
        });
        Host.Faults.Errno = (call, _) => how == "not fetched" && call == "fetch socket" && !socket.IsOpen ? Errno.EPERM : 0;
        Assert.Equal([outcome], RunProbe("3s", candidates));
    }

    [Fact]
    public void Probe_ManyPeersOfTwoProcesses_EachGetsItsOwnVerdict()
    {
        FakeProcess other = Host.Add(new FakeProcess(1_001));
        for (int i = 0; i < 600; i++)
        {
            Add(i % 7 == 0 ? FakeAnswer.Nothing : FakeAnswer.Acknowledge, i % 2 == 0 ? Owner : other);
        }

        Assert.Equal(Enumerable.Range(0, 600).Select(static i => i % 7 == 0 ? "Pending" : "Answered"), RunProbe("3s"));
        Assert.Equal("probing: 600 probed, 514 answered, 86 silent so far, 0 s left", Sink.LastProgress);
    }

    /// <summary>A stop takes effect after one batch; peers without a verdict remain candidates, and none is called silent.</summary>
    [Fact]
    public void Probe_StopRequested_LeavesTheRestWithoutAVerdict()
    {
        FakeTcp[] sockets = [.. Enumerable.Range(0, 600).Select(_ => Add(FakeAnswer.Nothing))];
        ConnectionList candidates = Host.Candidates();
        Assert.All(RunProbe("3s", candidates, stop: () => sockets.Any(static socket => socket.Peer!.Probed > 0)), static outcome => Assert.Equal("Pending", outcome));
        Assert.InRange(sockets.Count(static socket => socket.Peer!.Probed > 0), 1, 64);
        Assert.False(candidates.IsSilentNoMore(0, new SocketFacts(new byte[240])));
    }

    /// <summary>A peer that sends probes itself moves no clock, but its segments are counted.</summary>
    [Fact]
    public void Probe_SilentPeer_IsSilentUntilASegmentArrives()
    {
        FakeTcp socket = Add(FakeAnswer.Nothing);
        ConnectionList candidates = Host.Candidates();
        RunProbe("10s", candidates);
        Assert.False(candidates.IsSilentNoMore(0, new SocketFacts(socket.Info())));
        socket.Peer!.Hear();
        Assert.True(candidates.IsSilentNoMore(0, new SocketFacts(socket.Info())));
    }

    /// <summary>Whichever call fails: no option stays changed, no handle open, and no living peer is called silent.</summary>
    [Theory]
    [Values(Errno.ENOMEM, Errno.EPERM, Errno.EBADF)]
    public void Probe_AnyCallFails_CallsNoLivingPeerSilentAndRestoresEverything(int errno)
    {
        int calls = 0;
        for (int failing = -1; failing < calls; failing++)
        {
            var tests = new PeerProbeTests();
            FakeTcp[] sockets = [tests.Add(FakeAnswer.Acknowledge), tests.Add(FakeAnswer.Nothing), tests.Add(FakeAnswer.Acknowledge)];
            Dictionary<(int, int), int>[] before = [.. sockets.Select(static socket => new Dictionary<(int, int), int>(socket.Options))];
            ConnectionList candidates = tests.Host.Candidates();
            tests.Host.Faults.Errno = (_, number) => number == failing ? errno : 0;
            string[] outcomes = tests.RunProbe("3s", candidates);
            Assert.NotEqual("Pending", outcomes[0]);
            Assert.NotEqual("Pending", outcomes[2]);
            Assert.Equal(before, sockets.Select(static socket => socket.Options));
            calls = Math.Max(calls, tests.Host.Faults.Calls.Count);
        }

        Assert.InRange(calls, 60, int.MaxValue);
    }
}
