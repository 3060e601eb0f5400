using TcpCloser.Interop;
using TcpCloser.Proc;
using TcpCloser.Tests.Support;

namespace TcpCloser.Tests.Kill;

/// <summary>Who is never signalled. A process whose files cannot be read, for want of a descriptor say, may be one of them.</summary>
public sealed class ProcessGuardTests
{
    private const int Pid = 200;
    private const string CannotBeLookedAt = "a kernel thread, or a process that cannot be looked at now";

    private readonly FakeHost _host = new();

    public ProcessGuardTests()
    {
        _host.Add(new FakeProcess(1) { Uid = 0 });
        _host.Add(new FakeProcess(50) { Parent = 1 });
        _host.Add(new FakeProcess(_host.Self) { Parent = 50 });
    }

    [Fact]
    public void AnOrdinaryProcessIsNot()
    {
        _host.Add(new FakeProcess(Pid) { Uid = 7, Parent = 1, Comm = ") S 0 0 0 0"u8.ToArray() });
        Assert.Null(Protection(Pid, out uint? uid));
        Assert.Equal(7u, uid);
    }

    [Theory]
    [InlineData(1, "an ancestor of tcp-closer")]
    [InlineData(50, "an ancestor of tcp-closer")]
    [InlineData(100, "tcp-closer itself")]
    public void ThisOneAndItsAncestorsAre(int pid, string why) => Assert.Equal(why, Protection(pid, out _));

    /// <summary>In a container the parent of its process 1 is not shown; started by docker-exec(1), this one has no ancestors there.</summary>
    [Fact]
    public void ProcessOneIsAlsoWhereItIsNoAncestor()
    {
        var host = new FakeHost();
        host.Add(new FakeProcess(1));
        host.Add(new FakeProcess(host.Self));
        using IProcessTable table = host.OpenProcesses();
        Assert.Equal("process 1 of its pid namespace", new ProcessGuard(table).Protection(1, out _));
    }

    [Fact]
    public void SoIsTheFirstOfAnInnerPidNamespace()
    {
        _host.Add(new FakeProcess(Pid) { NamespacePids = [Pid, 7, 1] });
        _host.Add(new FakeProcess(Pid + 1) { NamespacePids = [Pid + 1, 1, 7] });
        Assert.Equal("process 1 of its pid namespace", Protection(Pid, out _));
        Assert.Null(Protection(Pid + 1, out _));
    }

    [Fact]
    public void SoIsAKernelThread()
    {
        _host.Add(new FakeProcess(Pid) { IsKernelThread = true });
        Assert.Equal(CannotBeLookedAt, Protection(Pid, out _));
    }

    [Theory]
    [InlineData("status")]
    [InlineData("stat")]
    public void WhatCannotBeLookedAtIsProtected(string unreadable)
    {
        _host.Add(new FakeProcess(Pid));
        using IProcessTable table = _host.OpenProcesses();
        var guard = new ProcessGuard(table);
        foreach (int errno in new[] { Errno.EMFILE, Errno.ENOMEM, Errno.EACCES, Errno.EISDIR })
        {
            _host.Faults.Errno = (call, _) => call == "read " + unreadable ? errno : 0;
            Assert.Equal(CannotBeLookedAt, guard.Protection(Pid, out uint? uid));
            Assert.Equal(unreadable == "status", uid is null);
        }
    }

    /// <summary>Each look on the way up to process 1 fails once.</summary>
    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    public void NoneIsSignalledByOneThatDoesNotKnowItsOwnAncestors(int look)
    {
        _host.Add(new FakeProcess(Pid));
        using IProcessTable table = _host.OpenProcesses();
        int first = _host.Faults.Calls.Count;
        _host.Faults.Errno = (_, number) => number == first + look ? Errno.EMFILE : 0;
        var guard = new ProcessGuard(table);
        Assert.Equal(CannotBeLookedAt, guard.Protection(Pid, out _));
        Assert.Equal("tcp-closer itself", guard.Protection(_host.Self, out _));
    }

    /// <summary>With hidepid=2 (proc(5)) others' processes are not there, which then are not ours to signal either.</summary>
    [Fact]
    public void AncestorsThatAreHiddenKeepNoneFromBeingSignalled()
    {
        var host = new FakeHost();
        host.Add(new FakeProcess(host.Self) { Parent = 50 });
        host.Add(new FakeProcess(Pid));
        using IProcessTable table = host.OpenProcesses();
        Assert.Null(new ProcessGuard(table).Protection(Pid, out _));
    }

    [Fact]
    public void WhatIsGoneNeedsNoProtection() => Assert.Null(Protection(Pid, out _));

    private string? Protection(int pid, out uint? uid)
    {
        using IProcessTable table = _host.OpenProcesses();
        return new ProcessGuard(table).Protection(pid, out uid);
    }
}
