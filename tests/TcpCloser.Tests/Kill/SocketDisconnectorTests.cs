namespace TcpCloser.Tests.Kill;

/// <summary><c>--method disconnect</c>: whose descriptor is used, and what is reported if there is none.</summary>
public sealed class SocketDisconnectorTests
{
    private readonly FakeHost _host = new();
    private readonly FakeProcess _worker;
    private RecordingSink _sink = new(new ConnectionList());
    private uint _next = 500;

    public SocketDisconnectorTests() => _worker = _host.Add(new FakeProcess(200));

    [Fact]
    public void Disconnect_ConnectionsOfTwoProcesses_AreFetchedFromTheirHolders()
    {
        FakeTcp one = Add(_worker);
        FakeTcp two = Add(_host.Add(new FakeProcess(201)));
        FakeTcp other = Add(_worker);
        Assert.Equal(["Disconnected", "Disconnected"], Disconnect(_host.Candidates(one, two)));
        Assert.All([one, two], static socket => Assert.Equal("disconnect", socket.EndedBy));
        Assert.True(other.IsOpen);
        Assert.Empty(_sink.Problems);
    }

    /// <summary>The search for the next holder may take long: results so far are reported before it.</summary>
    [Fact]
    public void Disconnect_BeforeTheNextHolder_ReportsResultsSoFar()
    {
        FakeTcp first = Add(_worker);
        FakeTcp second = Add(_host.Add(new FakeProcess(201)));
        ConnectionList candidates = _host.Candidates();
        List<string> reported = [];
        _host.Faults.Before = (call, _) =>
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
        FakeTcp second = Add(_host.Add(new FakeProcess(201)));
        int asked = 0;
        Assert.Equal(["Disconnected", "NotReached"], Disconnect(stop: () => ++asked > 1));
        Assert.True(second.IsOpen);
    }

    /// <summary>If the first holder refuses, the next may not.</summary>
    [Fact]
    public void Disconnect_FirstHolderRefuses_FetchesFromTheNext()
    {
        FakeProcess refusing = _host.Add(new FakeProcess(150));
        Add(refusing, _host.Add(new FakeProcess(201)));
        int fetched = 0;
        _host.Faults.Errno = (call, _) => call == "fetch socket" && fetched++ == 0 ? Errno.EPERM : 0;
        Assert.Equal(["Disconnected"], Disconnect());
        AssertProblem(Operation.FetchSocket, Errno.EPERM, "of process 150");
    }

    [Theory]
    [Rows("open process | EPERM | OpenProcess", "fetch socket | EPERM | FetchSocket", "disconnect | EACCES | DisconnectSocket")]
    public void Disconnect_CallRefused_IsFailedAndReported(string call, int errno, object operation)
    {
        FakeTcp socket = Add(_worker);
        ConnectionList candidates = _host.Candidates();
        _host.Faults.Errno = (name, _) => name == call ? errno : 0;
        Assert.Equal(["Failed"], Disconnect(candidates));
        Assert.Equal(errno, candidates[0].Errno);
        Assert.True(socket.IsOpen);
        AssertProblem((Operation)operation, errno, "of process 200");
    }

    /// <summary>
    /// A process that ended, or a descriptor that was closed or is not a socket any more, is not a refusal: nobody holds the socket.
    /// </summary>
    [Theory]
    [Rows("open process | ESRCH", "fetch socket | ESRCH", "fetch socket | EBADF", "read cookie | ENOTSOCK")]
    public void Disconnect_HolderOrDescriptorGone_HasNoHolder(string call, int errno)
    {
        Add(_worker);
        ConnectionList candidates = _host.Candidates();
        _host.Faults.Errno = (name, _) => name == call ? errno : 0;
        Assert.Equal(["NoOwner"], Disconnect(candidates));
        Assert.Equal(0, candidates[0].Errno);
        Assert.Empty(_sink.Problems);
    }

    /// <summary>The descriptor may be a different socket by now, which must not be closed.</summary>
    [Fact]
    public void Disconnect_DescriptorIsADifferentSocket_LeavesItOpen()
    {
        FakeTcp meant = Add(_worker);
        ConnectionList candidates = _host.Candidates();
        meant.Dumped = meant.Dumped with { Cookie = 99 };
        Assert.Equal(["Vanished"], Disconnect(candidates));
        Assert.True(meant.IsOpen);
    }

    /// <summary>A socket without an inode has no holder, even if a process shows a socket with inode 0.</summary>
    [Fact]
    public void Disconnect_SocketWithoutAnInode_HasNoHolder()
    {
        FakeTcp orphan = Add();
        orphan.Dumped = orphan.Dumped with { Inode = 0 };
        _worker.Descriptors[3] = "socket:[0]";
        _host.Add(new FakeProcess(300) { Refusal = Errno.EACCES });
        Assert.Equal(["NoOwner"], Disconnect());

        // Processes that cannot be inspected have nothing to do with it.
        Assert.Empty(_sink.Problems);
    }

    [Fact]
    public void Disconnect_UnreadableProcessMayHoldIt_IsOwnerUnknown()
    {
        Add(_host.Add(new FakeProcess(300) { Refusal = Errno.EACCES }));
        Assert.Equal(["OwnerUnknown"], Disconnect());
        AssertProblem(Operation.ListDescriptors, Errno.EACCES, "of process 300");
    }

    /// <summary>If every holder was found, unreadable processes do not matter.</summary>
    [Fact]
    public void Disconnect_EveryHolderFound_IgnoresUnreadableProcesses()
    {
        Add(_worker);
        _host.Add(new FakeProcess(300) { Refusal = Errno.EACCES });
        Assert.Equal(["Disconnected"], Disconnect());
        Assert.Empty(_sink.Problems);
    }

    [Fact]
    public void Disconnect_ConnectionEndedBefore_IsVanished()
    {
        FakeTcp socket = Add(_worker);
        ConnectionList candidates = _host.Candidates();
        socket.End(FakeHost.ByItself);
        _worker.Descriptors.Clear();
        Assert.Equal(["Vanished"], Disconnect(candidates));
    }

    /// <summary>Whether the connection is still there cannot be determined.</summary>
    [Fact]
    public void Disconnect_LookupFails_IsUnknown()
    {
        Add();
        ConnectionList candidates = _host.Candidates();
        _host.Faults.Errno = static (call, _) => call == "open netlink" ? Errno.EMFILE : 0;
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
        int fetched = 0;
        _host.Faults.Errno = (call, _) => call == "fetch socket" && fetched++ == 3 ? Errno.EPERM : 0;
        string[] outcomes = Disconnect(stop: () => ++asked > 1);
        Assert.Equal(256, _host.Sockets.Count(static socket => !socket.IsOpen) + 1);
        Assert.Equal(255, outcomes.Count(static outcome => outcome == "Disconnected"));
        Assert.Equal(1, outcomes.Count(static outcome => outcome == "Failed"));
        Assert.Equal(344, outcomes.Count(static outcome => outcome == "NotReached"));
        Assert.Equal(255, _sink.Batches[0]);
    }

    /// <summary>To its holder an MPTCP connection is one socket, which is disconnected once.</summary>
    [Fact]
    public void Disconnect_MptcpConnection_IsDisconnectedOnce()
    {
        var scene = new ServerScene(_host);
        (FakeTcp[] whole, _) = scene.AddMptcp(_worker);
        Assert.Equal(["Disconnected", "Disconnected"], Disconnect(_host.Candidates(whole)));
        Assert.Equal(1, _host.Faults.Calls.Count(static call => call == "disconnect"));
    }

    /// <summary>A descriptor with the inode of a subflow and a different cookie is a different connection.</summary>
    [Fact]
    public void Disconnect_DescriptorIsADifferentMptcpSocket_LeavesItOpen()
    {
        var scene = new ServerScene(_host);
        (FakeTcp[] whole, FakeTcp[] partly) = scene.AddMptcp(_worker);
        int fd = _worker.Descriptors.First(pair => pair.Value == whole[0].Link).Key;
        _host.Faults.Before = (call, _) => _worker.Descriptors[fd] = call == "fetch socket" ? partly[0].Link : _worker.Descriptors[fd];
        Assert.Equal(["NoOwner", "NoOwner"], Disconnect(_host.Candidates(whole)));
        Assert.All(partly, static socket => Assert.True(socket.IsOpen));
    }

    [Fact]
    public void Disconnect_NoProc_ThrowsAndReportsNothing()
    {
        var host = new FakeHost { OpenProcErrno = Errno.ENOENT };
        host.Add(new FakeTcp(new DumpedSocket()));
        ConnectionList candidates = host.Candidates();
        _sink = new RecordingSink(candidates);
        var method = new SocketDisconnector();
        Assert.Throws<SystemCallException>(() => method.Run(candidates, Contexts.Of(host.Machine, _sink)));
        Assert.Empty(_sink.Reported);
    }

    private void AssertProblem(Operation operation, int errno, string subject) => Assert.Equal([(operation, errno, subject)], _sink.Problems);

    private FakeTcp Add(params FakeProcess[] holders) =>
        _host.Add(new FakeTcp(new DumpedSocket { Inode = _next++, Cookie = _next, DestinationPort = (ushort)_next }), holders);

    private string[] Disconnect(ConnectionList? candidates = null, Func<bool>? stop = null)
    {
        candidates ??= _host.Candidates();
        _sink = new RecordingSink(candidates);
        new SocketDisconnector().Run(candidates, Contexts.Of(_host.Machine, _sink, stop));
        _sink.AssertAllReported();
        Assert.Equal(0, _host.AllLeftOpen);
        return [.. Enumerable.Range(0, candidates.Count).Select(i => candidates[i].Outcome.ToString())];
    }
}
