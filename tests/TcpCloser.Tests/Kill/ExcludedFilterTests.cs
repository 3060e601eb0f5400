namespace TcpCloser.Tests.Kill;

/// <summary><c>--not-comm</c>: a socket that such a process received after the processes were read is not closed.</summary>
public sealed class ExcludedFilterTests
{
    private readonly FakeHost _host = new();

    [Theory]
    [InlineData("sshd-session", 1)]
    [InlineData("bash", 0)]
    public void Excluded_HeldByANamedProcess_IsSkipped(string name, int skipped)
    {
        var scene = new ServerScene(_host);
        ConnectionList candidates = _host.Candidates(scene.OwnSession, scene.One, scene.Orphan);
        RecordingSink sink = Run(candidates, name);
        Assert.Equal(skipped, sink.Reported.Count);
        Assert.Equal(skipped == 1 ? Outcome.Excluded : Outcome.Pending, candidates[0].Outcome);
        Assert.Empty(sink.Problems);
        Assert.Equal(0, _host.AllLeftOpen);
    }

    /// <summary>A process of that name that cannot be read may hold any socket that a process holds.</summary>
    [Fact]
    public void Excluded_NamedProcessCannotBeRead_SkipsEveryHeldSocket()
    {
        var scene = new ServerScene(_host);
        _host.Add(new FakeProcess(77) { Comm = "secret"u8.ToArray(), Refusal = Errno.EACCES });
        ConnectionList candidates = _host.Candidates(scene.OwnSession, scene.One, scene.Orphan);
        RecordingSink sink = Run(candidates, "secret");
        Assert.Equal([Outcome.Excluded, Outcome.Excluded, Outcome.Pending], Enumerable.Range(0, 3).Select(i => candidates[i].Outcome));
        Assert.Equal((Operation.ListDescriptors, Errno.EACCES), (sink.Problems[0].Operation, sink.Problems[0].Errno));
    }

    [Fact]
    public void Excluded_NoCandidates_MakesNoCalls()
    {
        Run(new ConnectionList(), "sshd");
        Assert.Empty(_host.Faults.Calls);
    }

    /// <summary>A server accepts a connection after the processes were read, and before the connections are listed.</summary>
    [Fact]
    public void Round_SocketAcceptedAfterTheProcessesWereRead_IsNotClosed()
    {
        var scene = new ServerScene(_host);
        FakeProcess server = _host.Add(new FakeProcess(400) { Comm = "server"u8.ToArray() });
        FakeTcp? accepted = null;
        _host.Faults.Before = (call, _) => accepted ??= call == "open netlink" ? scene.Socket(1000, server) : null;
        var observer = new RecordingObserver();
        _ = Rounds.Make(_host.Machine, [observer], stop: null, "-46", "-s", "22", "-v", "--not-comm", "server").Run();
        Assert.True(accepted!.IsOpen);
        Assert.Equal([Outcome.Excluded], observer.Reported[accepted.Dumped.Cookie]);
        Assert.False(scene.One.IsOpen);
    }

    private RecordingSink Run(ConnectionList candidates, string name)
    {
        var sink = new RecordingSink(candidates);
        new ExcludedFilter().Run(candidates, Contexts.Of(_host.Machine, sink, rule: new Rule { NotComms = { name } }));
        return sink;
    }
}
