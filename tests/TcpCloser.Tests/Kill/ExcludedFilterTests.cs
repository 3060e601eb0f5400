namespace TcpCloser.Tests.Kill;

/// <summary><c>--not-comm</c>: a socket that such a process received after the processes were read is not closed.</summary>
public sealed class ExcludedFilterTests : StepTestBase
{
    [Theory]
    [Rows("sshd-session | Excluded", "bash | Pending")]
    public void Excluded_HeldByANamedProcess_IsSkipped(string name, string outcome)
    {
        var scene = new ServerScene(Host);
        Assert.Equal([outcome, "Pending", "Pending"], Filter(name, scene.OwnSession, scene.One, scene.Orphan));
        Assert.Empty(Sink.Problems);
    }

    /// <summary>A process of that name that cannot be read may hold any socket that a process holds.</summary>
    [Fact]
    public void Excluded_NamedProcessCannotBeRead_SkipsEveryHeldSocket()
    {
        var scene = new ServerScene(Host);
        Host.Add(new FakeProcess(77) { Comm = "secret"u8.ToArray(), Refusal = Errno.EACCES });
        Assert.Equal(["Excluded", "Excluded", "Pending"], Filter("secret", scene.OwnSession, scene.One, scene.Orphan));
        Assert.Equal((Operation.ListDescriptors, Errno.EACCES), (Sink.Problems[0].Operation, Sink.Problems[0].Errno));
    }

    [Fact]
    public void Excluded_NoCandidates_MakesNoCalls()
    {
        Assert.Empty(Filter("sshd"));
        Assert.Empty(Host.Faults.Calls);
    }

    /// <summary>A server accepts a connection after the processes were read, and before the connections are listed.</summary>
    [Fact]
    public void Round_SocketAcceptedAfterTheProcessesWereRead_IsNotClosed()
    {
        var scene = new ServerScene(Host);
        FakeProcess server = Host.Add(new FakeProcess(400) { Comm = "server"u8.ToArray() });
        FakeTcp? accepted = null;
        Host.Faults.Before = (call, _) => accepted ??= call == "open netlink" ? scene.Socket(1000, server) : null;
        var observer = new RecordingObserver();
        _ = Rounds.Make(Host.Machine, [observer], stop: null, "-46", "-s", "22", "-v", "--not-comm", "server").Run();
        Assert.True(accepted!.IsOpen);
        Assert.Equal([Outcome.Excluded], observer.Reported[accepted.Dumped.Cookie]);
        Assert.False(scene.One.IsOpen);
    }

    private string[] Filter(string name, params FakeTcp[] sockets) => Run(new ExcludedFilter(), Host.Candidates(sockets), rule: new Rule { NotComms = { name } });
}
