namespace TcpCloser.Tests.Kill;

/// <summary>The search of /proc for holders.</summary>
public sealed class SocketHoldersTests
{
    private const int Few = 10;
    private const int Many = 300;
    private const int FirstPid = 1_000;
    private const int Ended = FirstPid - 1;
    private const uint Counted = 7;
    private readonly FakeHost _host = new();

    [Theory]
    [Values(Few, Many)]
    public void Owners_FewOrManyProcesses_AreFoundInTheOrderOfProcAndUnreadableOnesCounted(int processes)
    {
        SocketHolders owners = Look(processes, out List<int> pids);
        Assert.Equal(pids.Where(static pid => !IsUnreadable(pid) && !HasNoSockets(pid)), owners.Holders.Select(static holder => holder.Pid));
        Assert.All(owners.Holders, static holder =>
        {
            Assert.Equal([(3, Wanted(holder.Pid))], holder.Sockets.Select(static socket => (socket.Fd, socket.Inode)));
            Assert.Equal(1, holder.OtherConnections);
            Assert.Equal("worker"u8, holder.Comm);
            Assert.Equal(1_000u, holder.EffectiveUid);
        });
        Assert.Equal((pids.Count(IsUnreadable), pids.Find(IsUnreadable)), (owners.Unreadable.Count, owners.Unreadable.FirstPid));
        Assert.Equal((Operation.ListDescriptors, Errno.ENOTDIR), (owners.Unreadable.Failure.Operation, owners.Unreadable.Failure.Errno));
    }

    [Fact]
    public void Owners_ProcessesCannotBeListed_Throws()
    {
        _host.Faults.Fail("list processes", Errno.ENOMEM);
        var e = Assert.Throws<SystemCallException>(() => Look(Few, out _));
        Assert.Equal((Operation.ListProcesses, Errno.ENOMEM), (e.Failure.Operation, e.Failure.Errno));
        Assert.Equal(0, _host.AllLeftOpen);
    }

    private static bool IsUnreadable(int pid) => pid % 7 == 0;
    private static bool HasNoSockets(int pid) => pid % 3 == 0;

    /// <summary>The inode of a wanted connection, a different one for each process.</summary>
    private static uint Wanted(int pid) => 100_000 + (uint)(pid - FirstPid);

    private SocketHolders Look(int processes, out List<int> pids)
    {
        _host.Add(new FakeProcess(_host.Self));
        _host.Add(new FakeProcess(Ended));
        pids = [.. Enumerable.Range(FirstPid, processes)];
        foreach (int pid in pids)
        {
            _host.Add(new FakeProcess(pid)
            {
                Refusal = IsUnreadable(pid) ? Errno.ENOTDIR : 0,
                Descriptors =
                {
                    [0] = "/dev/null",
                    [3] = HasNoSockets(pid) ? "pipe:[100001]" : $"socket:[{Wanted(pid)}]",
                    [4] = HasNoSockets(pid) ? "anon_inode:[eventfd]" : $"socket:[{Counted}]",
                },
            });
        }

        // This process ends after it was listed and before it is read.
        _host.Faults.Before = (call, _) => _host.Processes.ForEach(process => process.IsAlive &= process.Pid != Ended || call != "open fd");
        var wanted = new InodeIndex(Connections.Many(Many));
        using IProcessTable table = _host.OpenProcesses();
        return SocketHolders.All(table, wanted.Contains, wanted.Count, [Counted]);
    }
}
