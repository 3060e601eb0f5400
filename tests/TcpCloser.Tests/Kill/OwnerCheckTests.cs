using TcpCloser.Cli;
using TcpCloser.Diag;
using TcpCloser.Interop;
using TcpCloser.Kill;
using TcpCloser.Proc;
using TcpCloser.Tests.Support;

namespace TcpCloser.Tests.Kill;

/// <summary>What <c>--check</c> says of the ways that go through the owners: each process is tried, and nothing is done to any.</summary>
public sealed class OwnerCheckTests
{
    private readonly FakeHost _host = new();
    private readonly FakeProcess _worker;

    public OwnerCheckTests()
    {
        _host.Add(new FakeProcess(_host.Self) { Refusal = Errno.EACCES });
        _host.Add(new FakeProcess(2) { IsKernelThread = true, Uid = 0, Refusal = Errno.EACCES });
        _worker = _host.Add(new FakeProcess(200));
        _host.Add(new FakeTcp(new DumpedSocket()), _worker);
    }

    /// <summary>This process and kernel threads hold nothing that is to be closed, and are not asked.</summary>
    [Theory]
    [InlineData("disconnect")]
    [InlineData("keepalive")]
    [InlineData("probe")]
    [InlineData("kill")]
    public void WhereEveryOtherProcessAllowsIt(string way)
    {
        Ability ability = Check(way);
        Assert.Equal(way, ability.Name);
        Assert.True(ability.IsPossible);
        Assert.False(ability.IsImpossible);
        Assert.Empty(_host.Signals);
    }

    [Theory]
    [InlineData("disconnect")]
    [InlineData("keepalive")]
    [InlineData("probe")]
    [InlineData("kill")]
    public void WhereOneOfThemDoesNot(string way)
    {
        _host.Add(new FakeProcess(300) { Refusal = Errno.EACCES, Uid = 33 });
        _host.Add(new FakeProcess(301) { Refusal = Errno.EACCES, Uid = 33 });
        AssertIs(Check(way), Errno.EACCES, Operation.ListDescriptors, "of process 300 and 1 others", isImpossible: false);

        // Of all of those that are meant it is true.
        AssertIs(Check(way, 33), Errno.EACCES, Operation.ListDescriptors, "of process 300 and 1 others", isImpossible: true);
        Assert.True(Check(way, 1000).IsPossible);
        AssertIs(Check(way, 1000, 33), Errno.EACCES, Operation.ListDescriptors, "of process 300 and 1 others", isImpossible: false);
    }

    [Theory]
    [InlineData("disconnect", "open fd", Operation.ListDescriptors)]
    [InlineData("disconnect", "list fd", Operation.ListDescriptors)]
    [InlineData("disconnect", "read fd", Operation.ReadDescriptor)]
    [InlineData("disconnect", "open process", Operation.OpenProcess)]
    [InlineData("disconnect", "fetch socket", Operation.FetchSocket)]
    [InlineData("kill", "open fd", Operation.ListDescriptors)]
    [InlineData("kill", "read fd", Operation.ReadDescriptor)]
    [InlineData("kill", "signal", Operation.SignalProcess)]
    public void EachCallThatIsRefused(string way, string call, object operation)
    {
        _host.Faults.Errno = (name, _) => name == call ? Errno.EPERM : 0;
        AssertIs(Check(way), Errno.EPERM, (Operation)operation, "of process 200", isImpossible: true);
    }

    /// <summary>A process that ends meanwhile refuses nothing, and says nothing of what is possible.</summary>
    [Theory]
    [InlineData("open fd", Errno.ENOENT)]
    [InlineData("open fd", Errno.ESRCH)]
    [InlineData("open process", Errno.ESRCH)]
    [InlineData("fetch socket", Errno.ESRCH)]
    public void WhatIsGoneRefusesNothing(string call, int errno)
    {
        _host.Add(new FakeProcess(300) { Refusal = Errno.EACCES });
        _host.Faults.Errno = (name, _) => name == call && _worker.IsAlive ? errno : 0;
        _host.Faults.Before = (name, number) => _worker.IsAlive = name != call || !_host.Faults.Calls.Take(number).Contains(call);
        AssertIs(Check("disconnect"), Errno.EACCES, Operation.ListDescriptors, "of process 300", isImpossible: true);
    }

    /// <summary>One without descriptors is asked for the rest all the same; a link that is gone by then is no refusal.</summary>
    [Fact]
    public void OneWithoutDescriptors()
    {
        _worker.Descriptors.Clear();
        Assert.True(Check("disconnect").IsPossible);
        Assert.Contains("fetch socket", _host.Faults.Calls);

        _worker.Descriptors[3] = "pipe:[1]";
        _host.Faults.Errno = (name, _) => name == "read fd" ? Errno.ENOENT : 0;
        Assert.True(Check("disconnect").IsPossible);
    }

    [Fact]
    public void WithoutAProc()
    {
        var host = new FakeHost { OpenProcErrno = Errno.ENOENT };
        Ability ability = PeerProbe.Check(host.OpenProcesses, []);
        AssertIs(ability, Errno.ENOENT, Operation.OpenProc, subject: null, isImpossible: true);
    }

    private static void AssertIs(Ability ability, int errno, Operation operation, string? subject, bool isImpossible)
    {
        Assert.Equal((errno, operation, subject), (ability.Errno, ability.Operation, ability.Subject));
        Assert.False(ability.IsPossible);
        Assert.Equal(isImpossible, ability.IsImpossible);
    }

    private Ability Check(string way, params uint[] uids)
    {
        Rule rule = Words.Rule("-s", "22");
        Ability ability = way switch
        {
            "disconnect" => new SocketDisconnector(new SocketDump(), _host.OpenProcesses, new SearchOrder()).Check(uids),
            "keepalive" => new KeepaliveMethod(rule, new SocketDump(), _host.OpenProcesses, new SearchOrder()).Check(uids),
            "kill" => new ProcessKiller(rule, new IdleRule(rule), _host.OpenProcesses).Check(uids),
            _ => PeerProbe.Check(_host.OpenProcesses, uids),
        };
        Assert.Equal(0, _host.AllLeftOpen);
        return ability;
    }
}
