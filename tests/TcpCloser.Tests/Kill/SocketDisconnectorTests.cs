namespace TcpCloser.Tests.Kill;

/// <summary><c>--method disconnect</c>: whose descriptor is used, and what is reported if there is none.</summary>
public sealed class SocketDisconnectorTests : StepTestBase
{
    private readonly FakeProcess _worker;

    public SocketDisconnectorTests() => _worker = Host.Add(new FakeProcess(200));

    [Fact]
    public void Disconnect_ConnectionsOfTwoProcesses_AreFetchedFromTheirHolders()
    {
        FakeTcp one = Add(_worker);
        FakeTcp two = Add(Host.Add(new FakeProcess(201)));
        FakeTcp other = Add(_worker);
        Assert.Equal(["Disconnected", "Disconnected"], Disconnect(Host.Candidates(one, two)));
        Assert.All([one, two], static socket => Assert.Equal("disconnect", socket.EndedBy));
        Assert.True(other.IsOpen);
        Assert.Empty(Sink.Problems);
    }

    /// <summary>The search for the next holder may take long: results so far are reported before it.</summary>
    [Fact]
    public void Disconnect_BeforeTheNextHolder_ReportsResultsSoFar()
    {
        FakeTcp first = Add(_worker);
        FakeTcp second = Add(Host.Add(new FakeProcess(201)));
        ConnectionList candidates = Host.Candidates();
        List<string> reported = [];
        Host.Faults.Before = (call, _) =>
        {
            if (call == "open fd")
            {
                reported.Add(string.Join(' ', Enumerable.Range(0, candidates.Count).Select(i => candidates[i].Outcome)));
            }
        };
        Assert.Equal(["Disconnected", "Disconnected"], Disconnect(candidates));
        Assert.Equal(["Pending Pending", "Disconnected Pending"], reported);
        Assert.False(first.IsOpen || second.IsOpen);
    }

    [Fact]
    public void Disconnect_StopBetweenHolders_ReachesNoOther()
    {
        Add(_worker);
        FakeTcp second = Add(Host.Add(new FakeProcess(201)));
        int asked = 0;
        Assert.Equal(["Disconnected", "NotReached"], Disconnect(stop: () => ++asked > 1));
        Assert.True(second.IsOpen);
    }

    [Fact]
    public void Disconnect_FirstHolderRefuses_FetchesFromTheNext()
    {
        Add(Host.Add(new FakeProcess(150)), Host.Add(new FakeProcess(201)));
        Host.Faults.FailOnce("fetch socket", Errno.EPERM);
        Assert.Equal(["Disconnected"], Disconnect());
        Assert.Equal([(Operation.FetchSocket, Errno.EPERM, "of process 150")], Sink.Problems);
    }

    /// <summary>A process that ended, or a descriptor that was closed or reused, is not a refusal: nobody holds the socket.</summary>
    [Theory]
    [Rows("open process | EPERM | Failed | OpenProcess", "fetch socket | EPERM | Failed | FetchSocket", "disconnect | EACCES | Failed | DisconnectSocket",
        "open process | ESRCH | NoOwner | null", "fetch socket | ESRCH | NoOwner | null", "fetch socket | EBADF | NoOwner | null",
        "read cookie | ENOTSOCK | NoOwner | null")]
    public void Disconnect_CallFails_IsFailedUnlessHolderOrDescriptorIsGone(string call, int errno, string outcome, object? operation)
    {
        FakeTcp socket = Add(_worker);
        ConnectionList candidates = Host.Candidates();
        Host.Faults.Fail(call, errno);
        Assert.Equal([outcome], Disconnect(candidates));
        Assert.Equal(operation is null ? 0 : errno, candidates[0].Errno);
        Assert.True(socket.IsOpen);
        Assert.Equal(operation is null ? [] : [((Operation)operation, errno, "of process 200")], Sink.Problems);
    }

    /// <summary>The descriptor may be a different socket by now, which must not be closed.</summary>
    [Fact]
    public void Disconnect_DescriptorIsADifferentSocket_LeavesItOpen()
    {
        FakeTcp meant = Add(_worker);
        ConnectionList candidates = Host.Candidates();
        meant.Dumped = meant.Dumped with { Cookie = 99 };
        Assert.Equal(["Vanished"], Disconnect(candidates));
        Assert.True(meant.IsOpen);
    }

    /// <summary>A socket without an inode has no holder, even if a process shows a socket with inode 0.</summary>
    [Theory]
    [Rows("the worker | Disconnected | false", "nobody: no inode | NoOwner | false", "the unreadable process | OwnerUnknown | true")]
    public void Disconnect_ProcessUnreadable_MattersOnlyIfItMayHoldTheSocket(string holder, string outcome, bool isReported)
    {
        FakeProcess unreadable = Host.Add(new FakeProcess(300) { Refusal = Errno.EACCES });
        FakeTcp socket = Add(holder == "the worker" ? [_worker] : holder == "the unreadable process" ? [unreadable] : []);
        if (holder == "nobody: no inode")
        {
            socket.Dumped = socket.Dumped with { Inode = 0 };
            _worker.Descriptors[3] = "socket:[0]";
        }

        Assert.Equal([outcome], Disconnect());
        Assert.Equal(isReported ? [(Operation.ListDescriptors, Errno.EACCES, "of process 300")] : [], Sink.Problems);
    }

    [Fact]
    public void Disconnect_ConnectionEndedBefore_IsVanished()
    {
        FakeTcp socket = Add(_worker);
        ConnectionList candidates = Host.Candidates();
        socket.End(FakeHost.ByItself);
        _worker.Descriptors.Clear();
        Assert.Equal(["Vanished"], Disconnect(candidates));
    }

    [Fact]
    public void Disconnect_LookupFails_IsUnknown()
    {
        Add();
        ConnectionList candidates = Host.Candidates();
        Host.Faults.Fail("open netlink", Errno.EMFILE);
        Assert.Equal(["Unknown"], Disconnect(candidates));
        Assert.Equal(Errno.EMFILE, candidates[0].Errno);
    }

    /// <summary>A stop takes effect between two batches; a connection that was refused before it was reached, and is failed.</summary>
    [Fact]
    public void Disconnect_StopBetweenBatches_KeepsTheResultsSoFar()
    {
        for (int i = 0; i < 600; i++)
        {
            Add(_worker);
        }

        int asked = 0;
        Host.Faults.FailOnce("fetch socket", Errno.EPERM, which: 3);
        string[] outcomes = Disconnect(stop: () => ++asked > 1);
        Assert.Equal(256, Host.Sockets.Count(static socket => !socket.IsOpen) + 1);
        Assert.Equal([("Disconnected", 255), ("Failed", 1), ("NotReached", 344)], outcomes.CountBy(static outcome => outcome).Select(static pair => (pair.Key, pair.Value)));
        Assert.Equal(255, Sink.Batches[0]);
    }

    /// <summary>To its holder an MPTCP connection is one socket, which is disconnected once.</summary>
    [Fact]
    public void Disconnect_MptcpConnection_IsDisconnectedOnce()
    {
        var scene = new ServerScene(Host);
        (FakeTcp[] whole, _) = scene.AddMptcp(_worker);
        Assert.Equal(["Disconnected", "Disconnected"], Disconnect(Host.Candidates(whole)));
        Assert.Equal(1, Host.Faults.Calls.Count(static call => call == "disconnect"));
    }

    /// <summary>A descriptor with the inode of a subflow and a different cookie is a different connection.</summary>
    [Fact]
    public void Disconnect_DescriptorIsADifferentMptcpSocket_LeavesItOpen()
    {
        var scene = new ServerScene(Host);
        (FakeTcp[] whole, FakeTcp[] partly) = scene.AddMptcp(_worker);
        int fd = _worker.Descriptors.First(pair => pair.Value == whole[0].Link).Key;
        Host.Faults.Before = (call, _) => _worker.Descriptors[fd] = call == "fetch socket" ? partly[0].Link : _worker.Descriptors[fd];
        Assert.Equal(["NoOwner", "NoOwner"], Disconnect(Host.Candidates(whole)));
        Assert.All(partly, static socket => Assert.True(socket.IsOpen));
    }

    [Fact]
    public void Disconnect_NoProc_ThrowsAndReportsNothing()
    {
        Add();
        Host.Faults.Fail("open proc", Errno.ENOENT);
        Assert.Throws<SystemCallException>(() => Disconnect());
        Assert.Empty(Sink.Reported);
    }

    private string[] Disconnect(ConnectionList? candidates = null, Func<bool>? stop = null)
    {
        string[] outcomes = Run(new SocketDisconnector(), candidates, stop);
        Sink.AssertAllReported();
        return outcomes;
    }
}
