namespace TcpCloser.Tests.Kill;

/// <summary>
/// Which processes are never signalled. A process whose files cannot be read, for example for lack of a descriptor, may be one of them.
/// </summary>
public sealed class ProcessGuardTests
{
    private const int Pid = 200;
    private const string Unreadable = "a kernel thread or a process that cannot be inspected now";
    private readonly FakeHost _host = new();

    public ProcessGuardTests()
    {
        _host.Add(new FakeProcess(1) { Uid = 0 });
        _host.Add(new FakeProcess(50) { Parent = 1 });
        _host.Add(new FakeProcess(_host.Self) { Parent = 50 });
    }

    [Fact]
    public void Guard_OrdinaryProcess_IsNotProtected()
    {
        _host.Add(new FakeProcess(Pid) { Uid = 7, Parent = 1, Comm = ") S 0 0 0 0"u8.ToArray() });
        Assert.Null(Protection(Pid, out uint? uid));
        Assert.Equal(7u, uid);
    }

    [Theory]
    [Rows("1 | an ancestor of tcp-closer", "50 | an ancestor of tcp-closer", "100 | tcp-closer itself")]
    public void Guard_ThisProcessOrAnAncestor_IsProtected(int pid, string why) => Assert.Equal(why, Protection(pid, out _));

    /// <summary>
    /// Started by docker-exec(1) in a container, this process has no ancestors there. With hidepid=2 (proc(5)) they are invisible, as are all
    /// processes of other users, which it may not signal anyway.
    /// </summary>
    [Theory]
    [Rows("0 | 1 | process 1 of its pid namespace", "50 | 200 | null")]
    public void Guard_NoAncestorVisible_ProtectsOnlyProcessOne(int parent, int pid, string? why)
    {
        _host.Processes.Clear();
        _host.Add(new FakeProcess(_host.Self) { Parent = parent });
        _host.Add(new FakeProcess(pid));
        Assert.Equal(why, Protection(pid, out _));
    }

    [Fact]
    public void Guard_FirstProcessOfAnInnerPidNamespace_IsProtected()
    {
        _host.Add(new FakeProcess(Pid) { NamespacePids = [Pid, 7, 1] });
        _host.Add(new FakeProcess(Pid + 1) { NamespacePids = [Pid + 1, 1, 7] });
        Assert.Equal("process 1 of its pid namespace", Protection(Pid, out _));
        Assert.Null(Protection(Pid + 1, out _));
    }

    [Fact]
    public void Guard_KernelThread_IsProtected()
    {
        _host.Add(new FakeProcess(Pid) { IsKernelThread = true });
        Assert.Equal(Unreadable, Protection(Pid, out _));
    }

    [Theory]
    [Values("status", "stat")]
    public void Guard_ProcessCannotBeRead_IsProtected(string unreadable)
    {
        _host.Add(new FakeProcess(Pid));
        using IProcessTable table = _host.OpenProcesses();
        var guard = new ProcessGuard(table);
        foreach (int errno in new[] { Errno.EMFILE, Errno.ENOMEM, Errno.EACCES, Errno.EISDIR })
        {
            _host.Faults.Fail("read " + unreadable, errno);
            Assert.Equal(Unreadable, guard.Protection(Pid, out uint? uid));
            Assert.Equal(unreadable == "status", uid is null);
        }
    }

    /// <summary>Each read on the way up to process 1 fails once.</summary>
    [Theory]
    [Values(0, 1, 2)]
    public void Guard_OwnAncestorsUnknown_ProtectsEveryProcess(int failing)
    {
        _host.Add(new FakeProcess(Pid));
        using IProcessTable table = _host.OpenProcesses();
        int first = _host.Faults.Calls.Count;
        _host.Faults.Errno = (_, number) => number == first + failing ? Errno.EMFILE : 0;
        var guard = new ProcessGuard(table);
        Assert.Equal(Unreadable, guard.Protection(Pid, out _));
        Assert.Equal("tcp-closer itself", guard.Protection(_host.Self, out _));
    }

    [Fact]
    public void Guard_ProcessGone_IsNotProtected() => Assert.Null(Protection(Pid, out _));

    private string? Protection(int pid, out uint? uid)
    {
        using IProcessTable table = _host.OpenProcesses();
        return new ProcessGuard(table).Protection(pid, out uid);
    }
}
