namespace TcpCloser.Tests.Proc;

/// <summary>The processes that <c>--pid</c> and <c>--comm</c> select.</summary>
public sealed class NamedProcessesTests
{
    private readonly FakeHost _host = new();

    public NamedProcessesTests()
    {
        Add(10, "nginx", "socket:[100]", "socket:[101]", "/dev/null");
        Add(20, "nginx", "socket:[101]", "socket:[200]");
        Add(30, "postgres", "socket:[300]", "pipe:[301]");
    }

    [Fact]
    public void Processes_ByPidOrNameOrBoth_AreFoundWithTheirSockets()
    {
        AssertAre(Find([10, 30, 99], []), [10, 30], 100, 101, 300);
        AssertAre(Find([20], []), [20], 101, 200);
        AssertAre(Find([99], []), []);
        AssertAre(Find([], ["nginx"]), [10, 20], 100, 101, 200);
        AssertAre(Find([], ["postgres", "nginx"]), [10, 20, 30], 100, 101, 200, 300);
        AssertAre(Find([], ["ngin", "nginx\n"]), []);
        AssertAre(Find([20, 30], ["nginx"]), [20], 101, 200);
    }

    /// <summary>A process that cannot be inspected may hold any socket.</summary>
    [Fact]
    public void Processes_DescriptorsUnreadable_AreCounted()
    {
        _host.Add(new FakeProcess(40) { Comm = "nginx"u8.ToArray(), Refusal = Errno.EACCES });
        NamedProcesses found = Find([], ["nginx"]);
        Assert.Equal([10, 20, 40], found.Pids);
        Assert.Equal((1, 40, Errno.EACCES, Operation.ListDescriptors), Of(found.Unreadable));
        Assert.Equal(0, Find([10], []).Unreadable.Count);
    }

    /// <summary>A name that cannot be read may be the one that is selected; a process that ended meanwhile is not.</summary>
    [Theory]
    [Rows("EMFILE | 1", "ENOENT | 0", "ESRCH | 0")]
    public void Processes_NameUnreadable_AreCountedUnlessTheyEnded(int errno, int count)
    {
        int read = 0;
        _host.Faults.Errno = (call, _) => call == "read comm" && ++read == 2 ? errno : 0;
        NamedProcesses found = Find([], ["nginx"]);
        Assert.Equal([10], found.Pids);
        Assert.Equal(count, found.Unreadable.Count);
        Assert.True(count == 0 || Of(found.Unreadable) == (1, 20, errno, Operation.ReadProcess));
    }

    private static (int Count, int Pid, int Errno, Operation Operation) Of(UnreadableProcesses unreadable) =>
        (unreadable.Count, unreadable.FirstPid, unreadable.Failure.Errno, unreadable.Failure.Operation);

    private static void AssertAre(NamedProcesses found, int[] pids, params uint[] inodes)
    {
        Assert.Equal(pids, found.Pids);
        Assert.Equal(inodes, found.Inodes.Order());
        Assert.Equal(0, found.Unreadable.Count);
    }

    private NamedProcesses Find(int[] pids, string[] comms)
    {
        using IProcessTable table = _host.OpenProcesses();
        return new NamedProcesses(table, pids, comms);
    }

    private void Add(int pid, string comm, params string[] links)
    {
        FakeProcess process = _host.Add(new FakeProcess(pid) { Comm = System.Text.Encoding.UTF8.GetBytes(comm) });
        for (int fd = 0; fd < links.Length; fd++)
        {
            process.Descriptors[fd] = links[fd];
        }
    }
}
