namespace TcpCloser.Tests.Kill;

/// <summary>What a dry run shows for each candidate: the result of the run, by the same checks, without its last step.</summary>
public sealed class PreviewTests
{
    private RecordingSink _sink = new(new ConnectionList());

    /// <summary>
    /// A socket that no process shows may be held by a process that cannot be inspected; only if there is none is the socket known to have
    /// no holder.
    /// </summary>
    [Theory]
    [Rows("true | true | false | Pending Disconnect", "true | true | true | Pending Disconnect",
        "true | false | false | NoOwner Disconnect", "true | false | true | OwnerUnknown Disconnect",
        "false | true | false | NoOwner Disconnect", "false | false | true | NoOwner Disconnect")]
    public void PreviewOfDisconnect_HolderKnownOrNot_ShowsTheRunsOutcome(bool hasInode, bool isHeld, bool someAreHidden, string expected)
    {
        var host = new FakeHost();
        FakeProcess worker = host.Add(new FakeProcess(200));
        host.Add(new FakeTcp(new DumpedSocket { Inode = hasInode ? 500u : 0 }), isHeld ? [worker] : []);
        if (someAreHidden)
        {
            host.Add(new FakeProcess(300) { Refusal = Errno.EACCES });
        }

        Assert.Equal([expected], Preview(host, "--method", "disconnect"));
    }

    [Theory]
    [Rows("disconnect | fetch socket", "keepalive | fetch socket", "kill | signal")]
    public void Preview_HolderRefusesWhatTheMethodNeeds_ShowsFailed(string method, string call)
    {
        FakeHost host = Host();
        host.Faults.Errno = (name, _) => name == call ? Errno.EPERM : 0;
        string[] shown = Preview(host, "--method", method);
        Assert.All(shown, static outcome => Assert.StartsWith("Failed ", outcome, StringComparison.Ordinal));
        Assert.Equal([Errno.EPERM], _sink.Problems.Select(static problem => problem.Errno));
    }

    [Theory]
    [Values("auto", "destroy", "disconnect", "kill", "keepalive")]
    public void Preview_AnyMethod_ChangesNothing(string method)
    {
        FakeHost host = Host();
        Preview(host, "--method", method);
        Assert.All(host.Sockets, static socket => Assert.True(socket.IsOpen));
        Assert.All(host.Sockets, static socket => Assert.Empty(socket.OptionsSet));
        Assert.Empty(host.Signals);
        Assert.DoesNotContain("disconnect", host.Faults.Calls);
        Assert.Equal(method == "keepalive", host.Faults.Calls.Contains("read cookie"));
    }

    [Theory]
    [InlineData(0, "Pending Destroy", "Pending Destroy")]
    [InlineData(Errno.EPERM, "Failed Destroy", "Failed Destroy")]
    [InlineData(Errno.EOPNOTSUPP, "Failed Destroy", "Failed Destroy")]
    public void PreviewOfDestroy_Refused_ShowsFailed(int errno, params string[] shown)
    {
        Assert.Equal(shown, Preview(Host(errno), "--method", "destroy"));
        Assert.Equal(errno == 0 ? [] : [(Operation.DestroySocket, errno, null)], _sink.Problems);
    }

    /// <summary>The second socket has no holder, so it can only be destroyed.</summary>
    [Theory]
    [InlineData(0, "Pending Destroy", "Pending Destroy")]
    [InlineData(Errno.EPERM, "Pending Disconnect", "Failed Destroy")]
    [InlineData(Errno.EOPNOTSUPP, "Pending Disconnect", "Failed Destroy")]
    public void PreviewOfAuto_DestroyRefused_ShowsTheMethodThatWouldClose(int errno, params string[] shown)
    {
        FakeHost host = Host(errno);
        host.Sockets[1].Dumped = host.Sockets[1].Dumped with { Inode = 0 };
        Assert.Equal(shown, Preview(host));
        Assert.Equal(errno == 0 ? [] : [(Operation.DestroySocket, errno, null)], _sink.Problems);
    }

    [Theory]
    [Rows("auto | Pending Disconnect", "disconnect | Pending Disconnect", "kill | Pending Kill", "destroy | Mptcp Destroy")]
    public void Preview_MptcpConnection_ShowsTheMethodThatWouldClose(string method, string shown)
    {
        var host = new FakeHost();
        var scene = new ServerScene(host);
        (FakeTcp[] whole, _) = scene.AddMptcp(scene.Worker);
        Assert.Equal([shown, shown], Preview(host, host.Candidates(whole), "--method", method));
    }

    [Theory]
    [Rows("0 | 0 | Pending Keepalive", "1 | 0 | HasKeepalive Keepalive", "0 | 5000 | HasUserTimeout Keepalive")]
    public void PreviewOfKeepalive_SocketThatTheRunSkips_ShowsTheReason(int isOn, int userTimeout, string shown)
    {
        FakeHost host = Host();
        foreach (FakeTcp socket in host.Sockets)
        {
            socket.Options[(Socket.SOL_SOCKET, Socket.SO_KEEPALIVE)] = isOn;
            socket.Options[(Tcp.IPPROTO_TCP, Tcp.TCP_USER_TIMEOUT)] = userTimeout;
        }

        Assert.Equal([shown, shown], Preview(host, "--method", "keepalive"));
    }

    /// <summary>Whatever the method, and whatever is refused, the preview shows the outcomes of the run.</summary>
    [Theory]
    [Rows("auto | 0", "destroy | 0", "disconnect | 0", "kill | 0", "keepalive | 0", "auto | EPERM", "auto | EOPNOTSUPP", "destroy | EPERM",
        "destroy | EOPNOTSUPP")]
    public void Preview_FollowedByTheRun_ShowsTheSameOutcomes(string method, int destroyErrno)
    {
        string[] words = ["--method", method];
        (FakeHost host, FakeTcp[] sockets) = Everything(destroyErrno);
        string[] shown = Preview(host, host.Candidates(sockets), words);
        (host, sockets) = Everything(destroyErrno);
        ConnectionList candidates = host.Candidates(sockets);
        MethodOf(words).Run(candidates, Contexts.Of(host.Machine, new RecordingSink(candidates)));
        string[] actual = [.. Enumerable.Range(0, candidates.Count).Select(i => candidates[i].Outcome switch
        {
            Outcome.Destroyed or Outcome.Disconnected or Outcome.Killed or Outcome.Cured => $"Pending {candidates[i].By}",
            Outcome other => $"{other} {candidates[i].By}",
        })];
        Assert.Equal(actual, shown);
    }

    private static (FakeHost Host, FakeTcp[] Sockets) Everything(int destroyErrno)
    {
        var host = new FakeHost { DestroyErrno = destroyErrno };
        var scene = new ServerScene(host);
        (FakeTcp[] whole, _) = scene.AddMptcp(scene.Worker);
        scene.Shared.Options[(Socket.SOL_SOCKET, Socket.SO_KEEPALIVE)] = 1;
        return (host, [scene.One, scene.Shared, scene.OverIPv6, scene.AlsoHeldByOtherUser, scene.AlsoHeldByInit, scene.Orphan, .. whole]);
    }

    /// <summary>A machine with two connections, each held by a process of its own.</summary>
    private static FakeHost Host(int destroyErrno = 0)
    {
        var host = new FakeHost { DestroyErrno = destroyErrno };
        for (uint i = 0; i < 2; i++)
        {
            host.Add(
                new FakeTcp(new DumpedSocket { Inode = 500 + i, Cookie = 900 + i, DestinationPort = (ushort)(1_000 + i), Uid = 1000 }),
                host.Add(new FakeProcess(200 + (int)i)));
        }

        return host;
    }

    private static ICloseMethod MethodOf(string[] words)
    {
        Rule rule = Words.Rule(["-s", "22", .. words]);
        return CloseMethods.Of(rule);
    }

    private string[] Preview(FakeHost host, params string[] words) => Preview(host, host.Candidates(), words);

    private string[] Preview(FakeHost host, ConnectionList candidates, params string[] words)
    {
        _sink = new RecordingSink(candidates);
        MethodOf(words).Preview(candidates, Contexts.Of(host.Machine, _sink));
        _sink.AssertAllReported();
        Assert.Equal(0, host.AllLeftOpen);
        return [.. Enumerable.Range(0, candidates.Count).Select(i => $"{candidates[i].Outcome} {candidates[i].By}")];
    }
}
