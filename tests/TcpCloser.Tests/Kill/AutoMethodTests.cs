namespace TcpCloser.Tests.Kill;

/// <summary><c>--method auto</c>: destroys, and disconnects what the kernel does not destroy.</summary>
public sealed class AutoMethodTests
{
    private RecordingSink _sink = new(new ConnectionList());

    [Fact]
    public void Auto_DestroyWorks_FetchesNoSocket()
    {
        FakeHost host = Host(0, owners: 2);
        Assert.Equal(["Destroyed", "Destroyed"], Close(host));
        Assert.DoesNotContain("open proc", host.Faults.Calls);
        Assert.Empty(_sink.Problems);
    }

    /// <summary>A refused destroy is reported only if disconnect fails as well.</summary>
    [Theory]
    [Values(Errno.EPERM, Errno.EOPNOTSUPP)]
    public void Auto_DestroyRefused_DisconnectsAndReportsNothing(int errno)
    {
        Assert.Equal(["Disconnected", "Disconnected"], Close(Host(errno, owners: 2)));
        Assert.Empty(_sink.Problems);
    }

    [Theory]
    [Values(Errno.EPERM, Errno.EOPNOTSUPP)]
    public void Auto_DestroyAndFetchRefused_ReportsBoth(int errno)
    {
        FakeHost host = Host(errno, owners: 2);
        host.Faults.Errno = static (call, _) => call == "fetch socket" ? Errno.EPERM : 0;
        Assert.Equal(["Failed", "Failed"], Close(host));
        Assert.Equal(
            [(Operation.FetchSocket, Errno.EPERM), (Operation.DestroySocket, errno)],
            _sink.Problems.Select(static problem => (problem.Operation, problem.Errno)));
    }

    /// <summary>One of the two has no holder: destroy would not have needed one, so its refusal is reported.</summary>
    [Fact]
    public void Auto_DestroyRefusedAndOneSocketUnheld_ReportsTheRefusedDestroy()
    {
        FakeHost host = Host(Errno.EPERM, owners: 2);
        host.Processes[0].Descriptors.Remove(3);
        Assert.Equal(["NoOwner", "Disconnected"], Close(host));
        Assert.Equal([(Operation.DestroySocket, Errno.EPERM, null)], _sink.Problems);
    }

    /// <summary>A socket without a holder can only be destroyed: why that failed is reported, even if it is the only socket.</summary>
    [Theory]
    [Values(Errno.EPERM, Errno.EOPNOTSUPP)]
    public void Auto_OnlySocketsWithoutAHolder_ReportsTheRefusedDestroy(int errno)
    {
        FakeHost host = Host(errno, owners: 1);
        host.Sockets[0].Dumped = host.Sockets[0].Dumped with { Inode = 0 };
        Assert.Equal(["Failed"], Close(host));
        Assert.Equal([(Operation.DestroySocket, errno, null)], _sink.Problems);
        Assert.True(_sink.IsNotPossible);
    }

    /// <summary>Each result names the method that closed the connection, or the last one that was tried.</summary>
    [Fact]
    public void Auto_EachConnection_NamesTheMethodThatWasUsed()
    {
        FakeHost host = Host(Errno.EPERM, owners: 3);
        host.Sockets[1].Dumped = host.Sockets[1].Dumped with { Inode = 0 };
        host.Processes[2].Descriptors.Clear();
        host.Add(new FakeProcess(300) { Refusal = Errno.EACCES });
        ConnectionList candidates = host.Candidates();
        Auto().Run(candidates, Contexts.Of(host.Machine, new RecordingSink(candidates)));

        Assert.Equal(
            [(Outcome.Disconnected, Method.Disconnect), (Outcome.Failed, Method.Destroy), (Outcome.OwnerUnknown, Method.Disconnect)],
            Enumerable.Range(0, 3).Select(i => (candidates[i].Outcome, candidates[i].By)));
    }

    /// <summary>Without a /proc, disconnect throws; why destroy failed is reported all the same.</summary>
    [Fact]
    public void Auto_DestroyRefusedAndNoProc_ReportsTheRefusalAndThrows()
    {
        FakeHost host = Host(Errno.EPERM, owners: 1);
        host.Faults.Errno = static (call, _) => call == "open proc" ? Errno.ENOENT : 0;
        Assert.Throws<SystemCallException>(() => Close(host));
        Assert.Equal([(Operation.DestroySocket, Errno.EPERM, null)], _sink.Problems);
    }

    [Fact]
    public void Auto_MptcpConnection_IsDisconnectedWhole()
    {
        var host = new FakeHost();
        var scene = new ServerScene(host);
        (FakeTcp[] whole, _) = scene.AddMptcp(scene.Worker);
        Assert.Equal(["Disconnected", "Disconnected", "Destroyed"], Close(host, [.. whole, scene.One]));
        Assert.Empty(_sink.Problems);
    }

    private static FakeHost Host(int destroyErrno, int owners)
    {
        var host = new FakeHost { DestroyErrno = destroyErrno };
        for (uint i = 0; i < owners; i++)
        {
            host.Add(
                new FakeTcp(new DumpedSocket { Inode = 500 + i, Cookie = 900 + i, DestinationPort = (ushort)(1_000 + i) }),
                host.Add(new FakeProcess(200 + (int)i)));
        }

        return host;
    }

    private static AutoMethod Auto() => new(new SockDestroyer(leavesUnsupported: true), new SocketDisconnector());

    private string[] Close(FakeHost host, params FakeTcp[] sockets)
    {
        ConnectionList candidates = host.Candidates(sockets);
        _sink = new RecordingSink(candidates);
        Auto().Run(candidates, Contexts.Of(host.Machine, _sink));
        _sink.AssertAllReported();
        Assert.Equal(0, host.AllLeftOpen);
        return [.. Enumerable.Range(0, candidates.Count).Select(i => candidates[i].Outcome.ToString())];
    }
}
