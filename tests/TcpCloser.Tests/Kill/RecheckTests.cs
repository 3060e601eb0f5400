namespace TcpCloser.Tests.Kill;

/// <summary>A connection that was judged more than 100 ms ago is judged again right before it is closed, by every method.</summary>
public sealed class RecheckTests
{
    private readonly FakeHost _host = new();
    private readonly FakeProcess _owner;

    public RecheckTests()
    {
        _host.Add(new FakeProcess(_host.Self) { Uid = 0 });
        _owner = _host.Add(new FakeProcess(1_000));
    }

    public static TheoryData<string> Methods => ["destroy", "auto", "disconnect", "kill", "keepalive"];

    [Theory]
    [MemberData(nameof(Methods))]
    public void Close_BusySinceTheDump_IsSkipped(string method)
    {
        FakeTcp busy = Add();
        FakeTcp idle = Add(_host.Add(new FakeProcess(1_001)));
        ConnectionList candidates = Judged("-t", "5s", "--method", method);
        _host.Clock.Pass(101);
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
        Add(_host.Add(new FakeProcess(1_001)));
        ConnectionList candidates = Judged("--probe", "3s", "--method", method);
        candidates.CallSilent(0, new SocketFacts(recovered.Info()).SegmentsIn);
        candidates.CallSilent(1, new SocketFacts(_host.Sockets[1].Info()).SegmentsIn);
        _host.Clock.Pass(200);
        recovered.Peer!.Hear();
        Close(candidates, "--probe", "3s", "--method", method);
        Assert.Equal(Outcome.Answered, candidates[0].Outcome);
        Assert.NotEqual(Outcome.Answered, candidates[1].Outcome);
    }

    [Theory]
    [Values("destroy", "disconnect", "keepalive")]
    public void Close_GoneSinceTheDump_IsVanished(string method)
    {
        FakeTcp socket = Add();
        ConnectionList candidates = Judged("-t", "5s", "--method", method);
        _host.Clock.Pass(101);
        socket.End(FakeHost.ByItself);
        Close(candidates, "-t", "5s", "--method", method);
        Assert.Equal(Outcome.Vanished, candidates[0].Outcome);
    }

    /// <summary>A connection that cannot be looked up again is not closed.</summary>
    [Theory]
    [Values("destroy", "disconnect", "keepalive")]
    public void Close_LookupFails_IsFailedAndNotClosed(string method)
    {
        FakeTcp socket = Add();
        ConnectionList candidates = Judged("-t", "5s", "--method", method);
        _host.Clock.Pass(101);
        _host.Faults.Errno = static (call, _) => call == "receive" ? Errno.ENOBUFS : 0;
        Close(candidates, "-t", "5s", "--method", method);
        Assert.Equal((Outcome.Failed, Errno.ENOBUFS), (candidates[0].Outcome, (int)candidates[0].Errno));
        Assert.True(socket.IsOpen);
    }

    /// <summary>A verdict that depends on no clock does not expire.</summary>
    [Fact]
    public void Close_VerdictWithoutAClock_IsNotCheckedAgain()
    {
        FakeTcp socket = Add();
        ConnectionList candidates = Judged("--method", "destroy");
        _host.Clock.Pass(10_000);
        socket.Peer!.Hear();
        Close(candidates, "--method", "destroy");
        Assert.Equal(Outcome.Destroyed, candidates[0].Outcome);
    }

    private FakeTcp Add(FakeProcess? holder = null)
    {
        int number = _host.Sockets.Count;
        return _host.Add(
            new FakeTcp(new DumpedSocket { Inode = 100 + (uint)number, Cookie = 5 + (ulong)number, DestinationPort = (ushort)(1 + number), Uid = 0 })
            {
                Peer = new FakePeer(FakeAnswer.Nothing, 60_000),
            },
            holder ?? _owner);
    }

    /// <summary>The sockets as candidates of a rule that has just judged them.</summary>
    private ConnectionList Judged(params string[] words)
    {
        ConnectionList candidates = _host.Candidates();
        candidates.JudgedBy = new IdleRule(Words.Rule(["-s", "22", .. words]));
        candidates.JudgedAtMs = _host.Clock.NowMs;
        return candidates;
    }

    private void Close(ConnectionList candidates, params string[] words) =>
        CloseMethods.Of(Words.Rule(["-s", "22", .. words]))
            .Run(candidates, Contexts.Of(_host.Machine, new RecordingSink(candidates)));
}
