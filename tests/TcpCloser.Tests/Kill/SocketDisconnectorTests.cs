using TcpCloser.Diag;
using TcpCloser.Interop;
using TcpCloser.Kill;
using TcpCloser.Proc;
using TcpCloser.Tests.Support;

namespace TcpCloser.Tests.Kill;

/// <summary><c>--method disconnect</c>: whose descriptor is used, and what is told where none can be.</summary>
public sealed class SocketDisconnectorTests
{
    private readonly FakeHost _host = new();
    private readonly FakeProcess _worker;
    private RecordingSink _sink = new(new ConnectionList());
    private uint _next = 500;

    public SocketDisconnectorTests() => _worker = _host.Add(new FakeProcess(200));

    [Fact]
    public void EachIsDisconnectedThroughItsOwner()
    {
        FakeTcp one = Add(_worker);
        FakeTcp two = Add(_host.Add(new FakeProcess(201)));
        FakeTcp other = Add(_worker);
        Assert.Equal(["Disconnected", "Disconnected"], Disconnect(_host.Candidates(one, two)));
        Assert.All([one, two], static socket => Assert.Equal("disconnect", socket.EndedBy));
        Assert.True(other.IsOpen);
        Assert.Empty(_sink.Problems);
    }

    /// <summary>One that several processes hold is fetched from one of them, once.</summary>
    [Fact]
    public void OneOfSeveralHoldersIsEnough()
    {
        Add(_worker, _host.Add(new FakeProcess(201)), _host.Add(new FakeProcess(202)));
        Assert.Equal(["Disconnected"], Disconnect());
        Assert.Equal(1, _host.Faults.Calls.Count(static call => call == "fetch socket"));
    }

    /// <summary>/proc is read no further than to the process that holds the last of the wanted sockets.</summary>
    [Fact]
    public void ItEndsWhereNothingIsLeftToBeFound()
    {
        FakeProcess larger = _host.Add(new FakeProcess(150));
        Add(_worker, larger);
        Add(_worker);
        _worker.Descriptors[100] = "/dev/null";
        for (int fd = 100; fd < 110; fd++)
        {
            larger.Descriptors[fd] = "/dev/null";
        }

        Assert.Equal(["Disconnected", "Disconnected"], Disconnect());
        Assert.Equal(1, _host.Faults.Calls.Count(static call => call == "open fd"));
        Assert.Equal(3, _host.Faults.Calls.Count(static call => call == "read fd"));
    }

    /// <summary>Looking for the next holder may take long: what was done by then is told before, and a signal is asked for.</summary>
    [Fact]
    public void WhatWasDoneIsToldBeforeTheNextHolderIsLookedFor()
    {
        FakeTcp first = Add(_worker);
        FakeTcp second = Add(_host.Add(new FakeProcess(201)));
        ConnectionList candidates = _host.Candidates();
        List<string> told = [];
        _host.Faults.Before = (call, _) =>
        {
            if (call == "open fd")
            {
                told.Add(string.Join(' ', Enumerable.Range(0, candidates.Count).Select(i => candidates[i].Outcome)));
            }
        };
        Assert.Equal(["Disconnected", "Disconnected"], Disconnect(candidates));
        Assert.Equal(["Idle Idle", "Disconnected Idle"], told);
        Assert.False(first.IsOpen || second.IsOpen);
    }

    [Fact]
    public void AStopBetweenHolders()
    {
        Add(_worker);
        FakeTcp second = Add(_host.Add(new FakeProcess(201)));
        int asked = 0;
        Assert.Equal(["Disconnected", "NotReached"], Disconnect(stop: () => ++asked > 1));
        Assert.True(second.IsOpen);
    }

    /// <summary>In the next round of a service the processes that held sockets in the last one are looked into before others.</summary>
    [Fact]
    public void TheHoldersOfTheLastRoundComeFirst()
    {
        FakeProcess holder = _host.Add(new FakeProcess(201));
        var method = new SocketDisconnector(new SocketDump(), _host.OpenProcesses, new SearchOrder());
        int[] looks = [.. Enumerable.Range(0, 3).Select(round =>
        {
            Add(round == 2 ? _worker : holder);
            ConnectionList candidates = _host.Candidates();
            int before = Looks();
            method.Close(candidates, new RecordingSink(candidates), static () => false);
            return Looks() - before;
        })];
        Assert.Equal([2, 1, 2], looks);
        Assert.All(_host.Sockets, static socket => Assert.False(socket.IsOpen));

        int Looks() => _host.Faults.Calls.Count(static call => call == "open fd");
    }

    /// <summary>Where the first refuses, the next may give it.</summary>
    [Fact]
    public void AnotherHolderGivesIt()
    {
        FakeProcess refusing = _host.Add(new FakeProcess(150));
        Add(refusing, _host.Add(new FakeProcess(201)));
        int fetched = 0;
        _host.Faults.Errno = (call, _) => call == "fetch socket" && fetched++ == 0 ? Errno.EPERM : 0;
        Assert.Equal(["Disconnected"], Disconnect());
        AssertProblem(Operation.FetchSocket, Errno.EPERM, "of process 150");
    }

    [Theory]
    [InlineData("open process", Errno.EPERM, Operation.OpenProcess)]
    [InlineData("fetch socket", Errno.EPERM, Operation.FetchSocket)]
    [InlineData("disconnect", Errno.EACCES, Operation.DisconnectSocket)]
    public void WhatIsRefusedHasFailed(string call, int errno, object operation)
    {
        FakeTcp socket = Add(_worker);
        ConnectionList candidates = _host.Candidates();
        _host.Faults.Errno = (name, _) => name == call ? errno : 0;
        Assert.Equal(["Failed"], Disconnect(candidates));
        Assert.Equal(errno, candidates[0].Errno);
        Assert.True(socket.IsOpen);
        AssertProblem((Operation)operation, errno, "of process 200");
    }

    /// <summary>A process that ended, or a descriptor that is closed or no socket any more, refused nothing: nobody has it.</summary>
    [Theory]
    [InlineData("open process", Errno.ESRCH)]
    [InlineData("fetch socket", Errno.ESRCH)]
    [InlineData("fetch socket", Errno.EBADF)]
    [InlineData("read cookie", Errno.ENOTSOCK)]
    public void WhatIsGoneWasNotRefused(string call, int errno)
    {
        Add(_worker);
        ConnectionList candidates = _host.Candidates();
        _host.Faults.Errno = (name, _) => name == call ? errno : 0;
        Assert.Equal(["NoOwner"], Disconnect(candidates));
        Assert.Equal(0, candidates[0].Errno);
        Assert.Empty(_sink.Problems);
    }

    /// <summary>A descriptor may be another socket by now, and that one is not meant.</summary>
    [Fact]
    public void ADescriptorThatIsAnotherSocket()
    {
        FakeTcp meant = Add(_worker);
        ConnectionList candidates = _host.Candidates();
        meant.Dumped = meant.Dumped with { Cookie = 99 };
        Assert.Equal(["Vanished"], Disconnect(candidates));
        Assert.True(meant.IsOpen);
    }

    /// <summary>A socket without an inode is nobody's, whatever process has one with the number 0 in its name.</summary>
    [Fact]
    public void WithoutAnInodeThereIsNoOwner()
    {
        FakeTcp orphan = Add();
        orphan.Dumped = orphan.Dumped with { Inode = 0 };
        _worker.Descriptors[3] = "socket:[0]";
        _host.Add(new FakeProcess(300) { Refusal = Errno.EACCES });
        Assert.Equal(["NoOwner"], Disconnect());

        // It is no matter of the processes that could not be looked into.
        Assert.Empty(_sink.Problems);
    }

    [Fact]
    public void TheOwnerMayBeAmongThoseThatCannotBeLookedInto()
    {
        Add(_host.Add(new FakeProcess(300) { Refusal = Errno.EACCES }));
        Assert.Equal(["NoOwner"], Disconnect());
        AssertProblem(Operation.ListDescriptors, Errno.EACCES, "of process 300");
    }

    /// <summary>Where every owner was found, it does not matter who else could not be looked into.</summary>
    [Fact]
    public void OthersThatCannotBeLookedIntoDoNotMatter()
    {
        Add(_worker);
        _host.Add(new FakeProcess(300) { Refusal = Errno.EACCES });
        Assert.Equal(["Disconnected"], Disconnect());
        Assert.Empty(_sink.Problems);
    }

    [Fact]
    public void WhatEndedBeforeHasVanished()
    {
        FakeTcp socket = Add(_worker);
        ConnectionList candidates = _host.Candidates();
        socket.End(FakeHost.ByItself);
        _worker.Descriptors.Clear();
        Assert.Equal(["Vanished"], Disconnect(candidates));
    }

    /// <summary>Whether it is still there could not be found out.</summary>
    [Fact]
    public void WhatCannotBeLookedUpIsUnknown()
    {
        Add();
        ConnectionList candidates = _host.Candidates();
        _host.Faults.Errno = static (call, _) => call == "open netlink" ? Errno.EMFILE : 0;
        Assert.Equal(["Unknown"], Disconnect(candidates));
        Assert.Equal(Errno.EMFILE, candidates[0].Errno);
    }

    [Fact]
    public void AStopBeforeItBegins()
    {
        FakeTcp socket = Add(_worker);
        Assert.Equal(["NotReached"], Disconnect(stop: static () => true));
        Assert.True(socket.IsOpen);
        Assert.Empty(_host.Faults.Calls);
    }

    /// <summary>Between two batches a stop is obeyed; what was refused before it has failed, and was reached.</summary>
    [Fact]
    public void AStopBetweenBatches()
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

    /// <summary>The subflows of a connection are one socket to its owner, which is disconnected once.</summary>
    [Fact]
    public void TheSubflowsOfMptcp()
    {
        var scene = new ServerScene(_host);
        (FakeTcp[] whole, _) = scene.AddMptcp(_worker);
        Assert.Equal(["Disconnected", "Disconnected"], Disconnect(_host.Candidates(whole)));
        Assert.Equal(1, _host.Faults.Calls.Count(static call => call == "disconnect"));
    }

    /// <summary>A descriptor with the inode of a subflow and another cookie is not its connection.</summary>
    [Fact]
    public void AnotherMptcpSocketIsNotMeant()
    {
        var scene = new ServerScene(_host);
        (FakeTcp[] whole, FakeTcp[] partly) = scene.AddMptcp(_worker);
        int fd = _worker.Descriptors.First(pair => pair.Value == whole[0].Link).Key;
        _host.Faults.Before = (call, _) => _worker.Descriptors[fd] = call == "fetch socket" ? partly[0].Link : _worker.Descriptors[fd];
        Assert.Equal(["NoOwner", "NoOwner"], Disconnect(_host.Candidates(whole)));
        Assert.All(partly, static socket => Assert.True(socket.IsOpen));
    }

    [Fact]
    public void WithoutAProcNothingIsDone()
    {
        var host = new FakeHost { OpenProcErrno = Errno.ENOENT };
        host.Add(new FakeTcp(new DumpedSocket()));
        ConnectionList candidates = host.Candidates();
        _sink = new RecordingSink(candidates);
        var method = new SocketDisconnector(new SocketDump(), host.OpenProcesses, new SearchOrder());
        Assert.Throws<SystemCallException>(() => method.Close(candidates, _sink, static () => false));
        Assert.Empty(_sink.Told);
    }

    private void AssertProblem(Operation operation, int errno, string subject) => Assert.Equal([(operation, errno, subject)], _sink.Problems);

    private FakeTcp Add(params FakeProcess[] holders) =>
        _host.Add(new FakeTcp(new DumpedSocket { Inode = _next++, Cookie = _next, DestinationPort = (ushort)_next }), holders);

    private string[] Disconnect(ConnectionList? candidates = null, Func<bool>? stop = null)
    {
        candidates ??= _host.Candidates();
        _sink = new RecordingSink(candidates);
        new SocketDisconnector(new SocketDump(), _host.OpenProcesses, new SearchOrder()).Close(candidates, _sink, stop ?? (static () => false));
        _sink.AssertAllTold();
        Assert.Equal(0, _host.AllLeftOpen);
        return [.. Enumerable.Range(0, candidates.Count).Select(i => candidates[i].Outcome.ToString())];
    }
}
