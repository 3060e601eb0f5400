namespace TcpCloser.Tests.Proc;

/// <summary>The order in which processes are searched for a holder.</summary>
public sealed class SearchOrderTests
{
    private readonly FakeHost _host = new();
    private readonly SearchOrder _order = new();

    public SearchOrderTests()
    {
        _host.Add(new FakeProcess(10) { Uid = 0 });
        _host.Add(new FakeProcess(20) { Uid = 33 });
        _host.Add(new FakeProcess(30) { Uid = 1000 });
        _host.Add(new FakeProcess(40) { Uid = 33 });
    }

    [Fact]
    public void Order_ProcessesOfTheSocketsUsers_ComeFirst()
    {
        Assert.Equal([20, 40, 10, 30], Processes(33));
        Assert.Equal([10, 30, 20, 40], Processes(0, 1000));
        Assert.Equal([10, 20, 30, 40], Processes());
    }

    [Fact]
    public void Order_HoldersOfTheLastRound_ComeBeforeTheSocketsUsers()
    {
        _order.Remember([new SocketHolder(30), new SocketHolder(99)]);
        Assert.Equal([30, 20, 40, 10], Processes(33));
        _order.Remember([]);
        Assert.Equal([30, 20, 40, 10], Processes(33));
        _order.Remember([new SocketHolder(40)]);
        Assert.Equal([40, 20, 10, 30], Processes(33));
    }

    /// <summary>In each group the process with the fewest descriptors comes first, because it costs the least.</summary>
    [Fact]
    public void Order_ProcessWithFewDescriptors_ComesBeforeOneWithMany()
    {
        foreach ((FakeProcess process, int count) in _host.Processes.Zip([5, 3, 1, 2]))
        {
            for (int fd = 0; fd < count; fd++)
            {
                process.Descriptors[fd] = "/dev/null";
            }
        }

        Assert.Equal([40, 20, 30, 10], Processes(33));
        Assert.Equal([30, 40, 20, 10], Processes());
        _order.Remember([new SocketHolder(10), new SocketHolder(20)]);
        Assert.Equal([20, 10, 40, 30], Processes(33));
    }

    /// <summary>The order leaves no process out, even if nothing is known about any of them.</summary>
    [Fact]
    public void Order_UsersUnknown_LeavesNoProcessOut()
    {
        _host.Faults.Errno = static (call, times) => call == "look" ? Errno.EACCES : 0;
        Assert.Equal([10, 20, 30, 40], Processes(33));
    }

    private List<int> Processes(params uint[] uids)
    {
        using IProcessTable table = _host.OpenProcesses();
        return _order.Processes(table, uids.ToHashSet());
    }
}
