namespace TcpCloser.Tests.Kill;

/// <summary>Sockets that /proc/PID/fd does not show, because a thread has its own descriptor table or the first thread has ended.</summary>
public sealed class ThreadTests
{
    private const int Pid = 200;
    private const int OwnTable = 210;

    private readonly FakeHost _host = new();
    private readonly FakeProcess _process;
    private readonly FakeTcp _socket;

    public ThreadTests()
    {
        _process = _host.Add(new FakeProcess(Pid) { SharingThreads = 3, Descriptors = { [0] = "/dev/null" }, Threads = { [OwnTable] = [] } });
        _socket = _host.Add(new FakeTcp(new DumpedSocket { Uid = 1000 }));
        _process.Threads[OwnTable][5] = _socket.Link;
    }

    [Fact]
    public void Disconnect_SocketInAThreadsOwnTable_IsFetchedFromThatThread()
    {
        Assert.Equal((Outcome.Disconnected, 0), Disconnect(_host, out RecordingSink sink));

        Assert.Equal("disconnect", _socket.EndedBy);
        Assert.Empty(sink.Problems);
        Assert.Equal(0, _host.AllLeftOpen);
    }

    [Fact]
    public void Disconnect_FirstThreadHasEnded_IsFetchedFromAnother()
    {
        var host = new FakeHost();
        FakeTcp socket = host.Add(new FakeTcp(new DumpedSocket { Uid = 1000 }));
        host.Add(new FakeProcess(Pid) { HasFirstThreadEnded = true, Threads = { [OwnTable] = new() { [5] = socket.Link } } });

        Assert.Equal((Outcome.Disconnected, 0), Disconnect(host, out _));
        Assert.Equal("disconnect", socket.EndedBy);
    }

    /// <summary>Before Linux 6.9 a thread cannot be opened.</summary>
    [Fact]
    public void Disconnect_ThreadsCannotBeOpened_FailsAndNamesTheCall()
    {
        var host = new FakeHost { CanOpenThreads = false };
        FakeTcp socket = host.Add(new FakeTcp(new DumpedSocket { Uid = 1000 }));
        host.Add(new FakeProcess(Pid) { Threads = { [OwnTable] = new() { [5] = socket.Link } } });

        Assert.Equal((Outcome.Failed, Errno.EINVAL), Disconnect(host, out RecordingSink sink));
        Assert.Equal([(Operation.OpenProcess, Errno.EINVAL, $"of process {Pid}")], sink.Problems);
        Assert.True(socket.IsOpen);
    }

    [Fact]
    public void Kill_SocketInAThreadsOwnTable_SignalsTheProcess()
    {
        var rule = Words.Rule("-s", "22", "--use-proc");
        ConnectionList candidates = _host.Candidates();
        var sink = new RecordingSink(candidates);
        new ProcessKiller(rule).Run(candidates, Contexts.Of(_host.Machine, sink));

        Assert.Equal([(Pid, Signal.SIGKILL)], _host.Signals);
        Assert.Equal(Outcome.Killed, candidates[0].Outcome);
        Assert.Equal(0, _host.AllLeftOpen);
    }

    [Fact]
    public void NamedProcess_SocketInAThreadsOwnTable_IsFound()
    {
        using IProcessTable table = _host.OpenProcesses();
        var named = new NamedProcesses(table, [Pid], []);

        Assert.Equal([_socket.Dumped.Inode], named.Inodes);
        Assert.Equal(0, named.Unreadable.Count);
    }

    [Theory]
    [Values(Errno.ENOSYS, Errno.EPERM)]
    public void Walk_TablesCannotBeCompared_ReadsTheTableOfEachThread(int errno)
    {
        _host.Faults.Errno = (call, _) => call == "compare fds" ? errno : 0;

        Assert.Contains(_socket.Dumped.Inode, Inodes());
        Assert.Equal(5, Calls("open fd"));
    }

    /// <summary>If the first thread of a process has ended, /proc/PID/fd belongs to root. It is empty, so nothing is missed.</summary>
    [Fact]
    public void Walk_FirstThreadHasEndedAndRefuses_ReadsTheOthers()
    {
        _host.Add(new FakeProcess(300) { HasFirstThreadEnded = true, Threads = { [301] = new() { [3] = "socket:[77]" } } });
        int opened = 0;
        _host.Faults.Errno = (call, _) => call == "open fd" && opened++ == 0 ? Errno.EACCES : 0;
        using IProcessTable table = _host.OpenProcesses();
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
        _host.Faults.Errno = (name, number) => name == call && number > 2 ? Errno.ENOMEM : 0;
        using IProcessTable table = _host.OpenProcesses();
        using var walk = new DescriptorWalk(table, [Pid]);
        Assert.True(walk.NextProcess());
        Assert.False(walk.NextSocket());
        Assert.Equal((Errno.ENOMEM, Operation.ListDescriptors), (walk.Failure.Errno, walk.Failure.Operation));
    }

    private List<uint> Inodes()
    {
        var inodes = new List<uint>();
        using IProcessTable table = _host.OpenProcesses();
        using var walk = new DescriptorWalk(table, [Pid]);
        while (walk.NextProcess())
        {
            while (walk.NextSocket())
            {
                inodes.Add(walk.Inode);
            }
        }

        return inodes;
    }

    private int Calls(string call) => _host.Faults.Calls.Count(call.Equals);

    private static (Outcome Outcome, int Errno) Disconnect(FakeHost host, out RecordingSink sink)
    {
        ConnectionList candidates = host.Candidates();
        sink = new RecordingSink(candidates);
        new SocketDisconnector().Run(candidates, Contexts.Of(host.Machine, sink));
        return (candidates[0].Outcome, candidates[0].Errno);
    }
}
