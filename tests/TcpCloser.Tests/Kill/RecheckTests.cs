namespace TcpCloser.Tests.Kill;

/// <summary>A connection that was judged more than 100 ms ago is judged again right before it is closed, by every method.</summary>
public sealed class RecheckTests : StepTestBase
{
    private readonly FakeProcess _owner;

    public RecheckTests()
    {
        Host.Add(new FakeProcess(Host.Self) { Uid = 0 });
        _owner = Host.Add(new FakeProcess(1_000));
    }

    public static TheoryData<string> Methods => ["destroy", "auto", "disconnect", "kill", "keepalive"];

    [Theory]
    [MemberData(nameof(Methods))]
    public void Close_BusySinceTheDump_IsSkipped(string method)
    {
        FakeTcp busy = Add();
        FakeTcp idle = Add(Host.Add(new FakeProcess(1_001)));
        ConnectionList candidates = Judged("-t", "5s", "--method", method);
        Host.Clock.Pass(101);
        busy.Peer!.Hear();
        Close(candidates, "-t", "5s", "--method", method);
        Assert.Equal(Outcome.Busy, candidates[0].Outcome);
        Assert.InRange(candidates[0].IdleMs, 0u, 10u);
        Assert.True(busy.IsOpen);
        Assert.NotEqual(Outcome.Pending, candidates[1].Outcome);
        Assert.Equal(method == "keepalive", idle.IsOpen);
    }

    [Theory]
    [MemberData(nameof(Methods))]
    public void Close_PeerHeardFromSinceTheVerdict_IsSkipped(string method)
    {
        FakeTcp recovered = Add();
        Add(Host.Add(new FakeProcess(1_001)));
        ConnectionList candidates = Judged("--probe", "3s", "--method", method);
        candidates.CallSilent(0, new SocketFacts(recovered.Info()).SegmentsIn);
        candidates.CallSilent(1, new SocketFacts(Host.Sockets[1].Info()).SegmentsIn);
        Host.Clock.Pass(200);
        recovered.Peer!.Hear();
        Close(candidates, "--probe", "3s", "--method", method);
        Assert.Equal(Outcome.Answered, candidates[0].Outcome);
        Assert.NotEqual(Outcome.Answered, candidates[1].Outcome);
    }

    /// <summary>A connection that cannot be looked up again is not closed.</summary>
    [Theory]
    [Rows("destroy | false", "disconnect | false", "keepalive | false", "destroy | true", "disconnect | true", "keepalive | true")]
    public void Close_GoneSinceTheDumpOrLookupFails_IsVanishedOrFailed(string method, bool isUnknown)
    {
        FakeTcp socket = Add();
        ConnectionList candidates = Judged("-t", "5s", "--method", method);
        Host.Clock.Pass(101);
        if (isUnknown)
        {
            Host.Faults.Fail("receive", Errno.ENOBUFS);
        }
        else
        {
            socket.End(FakeHost.ByItself);
        }

        Close(candidates, "-t", "5s", "--method", method);
        Assert.Equal(isUnknown ? Outcome.Failed : Outcome.Vanished, candidates[0].Outcome);
        Assert.Equal(isUnknown, candidates[0].Errno == Errno.ENOBUFS);
        Assert.Equal(isUnknown, socket.IsOpen);
    }

    /// <summary>A verdict that depends on no clock does not expire.</summary>
    [Fact]
    public void Close_VerdictWithoutAClock_IsNotCheckedAgain()
    {
        FakeTcp socket = Add();
        ConnectionList candidates = Judged("--method", "destroy");
        Host.Clock.Pass(10_000);
        socket.Peer!.Hear();
        Close(candidates, "--method", "destroy");
        Assert.Equal(Outcome.Destroyed, candidates[0].Outcome);
    }

    private FakeTcp Add(FakeProcess? holder = null)
    {
        uint number = (uint)Host.Sockets.Count;
        var dumped = new DumpedSocket { Inode = 100 + number, Cookie = 5 + number, DestinationPort = (ushort)(1 + number), Uid = 0 };
        return Host.Add(new FakeTcp(dumped) { Peer = new FakePeer(FakeAnswer.Nothing, 60_000) }, holder ?? _owner);
    }

    /// <summary>The sockets as candidates of a rule that has just judged them.</summary>
    private ConnectionList Judged(params string[] words)
    {
        ConnectionList candidates = Host.Candidates();
        candidates.JudgedBy = new IdleRule(Words.Rule(["-s", "22", .. words]));
        candidates.JudgedAtMs = Host.Clock.NowMs;
        return candidates;
    }

    private void Close(ConnectionList candidates, params string[] words) => Run(CloseMethods.Of(Words.Rule(["-s", "22", .. words])), candidates);
}
