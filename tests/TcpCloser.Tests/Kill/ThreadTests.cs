namespace TcpCloser.Tests.Kill;

/// <summary>Sockets that /proc/PID/fd does not show, because a thread has its own descriptor table or the first thread has ended.</summary>
public sealed class ThreadTests : StepTestBase
{
    private const int Pid = 200;
    private const int OwnTable = 210;
    private readonly FakeProcess _process;
    private readonly FakeTcp _socket;

    public ThreadTests()
    {
        _process = Host.Add(new FakeProcess(Pid) { SharingThreads = 3, Descriptors = { [0] = "/dev/null" }, Threads = { [OwnTable] = [] } });
        _socket = Host.Add(new FakeTcp(new DumpedSocket { Uid = 1000 }));
        _process.Threads[OwnTable][5] = _socket.Link;
    }

    [Fact]
    public void Disconnect_SocketInAThreadsOwnTable_IsFetchedFromThatThread()
    {
        Assert.Equal(["Disconnected"], Run(new SocketDisconnector()));
        Assert.Equal("disconnect", _socket.EndedBy);
        Assert.Empty(Sink.Problems);
    }

    [Fact]
    public void Disconnect_FirstThreadHasEnded_IsFetchedFromAnother()
    {
        Host.Processes.Clear();
        Host.Add(new FakeProcess(Pid) { HasFirstThreadEnded = true, Threads = { [OwnTable] = new() { [5] = _socket.Link } } });
        Assert.Equal(["Disconnected"], Run(new SocketDisconnector()));
        Assert.Equal("disconnect", _socket.EndedBy);
    }

    /// <summary>Before Linux 6.9 a thread cannot be opened.</summary>
    [Fact]
    public void Disconnect_ThreadsCannotBeOpened_FailsAndNamesTheCall()
    {
        Host.CanOpenThreads = false;
        ConnectionList candidates = Host.Candidates();
        Assert.Equal(["Failed"], Run(new SocketDisconnector(), candidates));
        Assert.Equal(Errno.EINVAL, candidates[0].Errno);
        Assert.Equal([(Operation.OpenProcess, Errno.EINVAL, $"of process {Pid}")], Sink.Problems);
        Assert.True(_socket.IsOpen);
    }

    [Fact]
    public void Kill_SocketInAThreadsOwnTable_SignalsTheProcess()
    {
        Assert.Equal(["Killed"], Run(new ProcessKiller(Words.Rule("-s", "22", "--use-proc"))));
        Assert.Equal([(Pid, Signal.SIGKILL)], Host.Signals);
    }

    [Fact]
    public void NamedProcess_SocketInAThreadsOwnTable_IsFound()
    {
        using IProcessTable table = Host.OpenProcesses();
        var named = new NamedProcesses(table, [Pid], []);
        Assert.Equal([_socket.Dumped.Inode], named.Inodes);
        Assert.Equal(0, named.Unreadable.Count);
    }

    [Theory]
    [Values(Errno.ENOSYS, Errno.EPERM)]
    public void Walk_TablesCannotBeCompared_ReadsTheTableOfEachThread(int errno)
    {
        Host.Faults.Fail("compare fds", errno);
        using IProcessTable table = Host.OpenProcesses();
        using var walk = new DescriptorWalk(table, [Pid]);
        Assert.True(walk.NextProcess() && walk.NextSocket());
        Assert.Equal(_socket.Dumped.Inode, walk.Inode);
        Assert.False(walk.NextSocket() || walk.NextProcess());
        Assert.Equal(5, Host.Faults.Calls.Count(static call => call == "open fd"));
    }

    /// <summary>If the first thread of a process has ended, /proc/PID/fd belongs to root. It is empty, so nothing is missed.</summary>
    [Fact]
    public void Walk_FirstThreadHasEndedAndRefuses_ReadsTheOthers()
    {
        Host.Add(new FakeProcess(300) { HasFirstThreadEnded = true, Threads = { [301] = new() { [3] = "socket:[77]" } } });
        Host.Faults.FailOnce("open fd", Errno.EACCES);
        using IProcessTable table = Host.OpenProcesses();
        using var walk = new DescriptorWalk(table, [300]);
        Assert.True(walk.NextProcess());
        Assert.True(walk.NextSocket());
        Assert.Equal((300, 301, 3, 77u, 0), (walk.Pid, walk.Thread, walk.Fd, walk.Inode, walk.Failure.Errno));
        Assert.False(walk.NextSocket());
        Assert.Equal(0, walk.Failure.Errno);
    }

    [Theory]
    [Values("list threads", "open fd", "list fd")]
    public void Walk_ThreadsCannotBeRead_ReportsTheErrno(string call)
    {
        Host.Faults.Errno = (name, number) => name == call && number > 2 ? Errno.ENOMEM : 0;
        using IProcessTable table = Host.OpenProcesses();
        using var walk = new DescriptorWalk(table, [Pid]);
        Assert.True(walk.NextProcess());
        Assert.False(walk.NextSocket());
        Assert.Equal((Errno.ENOMEM, Operation.ListDescriptors), (walk.Failure.Errno, walk.Failure.Operation));
    }
}
