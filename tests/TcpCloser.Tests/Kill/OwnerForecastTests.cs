using TcpCloser.Cli;
using TcpCloser.Diag;
using TcpCloser.Interop;
using TcpCloser.Kill;
using TcpCloser.Proc;
using TcpCloser.Tests.Support;

namespace TcpCloser.Tests.Kill;

/// <summary>What a kill would cost: who holds the candidates, and what those processes would lose besides.</summary>
public sealed class OwnerForecastTests
{
    private readonly FakeHost _host = new();
    private readonly FakeProcess _worker;
    private uint _next = 500;

    public OwnerForecastTests()
    {
        _host.Add(new FakeProcess(1) { Uid = 0 });
        _host.Add(new FakeProcess(_host.Self) { Parent = 1, Uid = 0 });
        _worker = _host.Add(new FakeProcess(200));
    }

    [Fact]
    public void TheHoldersOfEach()
    {
        FakeProcess sibling = _host.Add(new FakeProcess(201));
        FakeTcp one = Add(_worker);
        FakeTcp shared = Add(_worker, sibling);
        FakeTcp orphan = Add();
        orphan.Dumped = orphan.Dumped with { Inode = 0 };
        _worker.Descriptors[22] = "socket:[0]";
        SocketOwners owners = Owners(one, shared, orphan);
        Assert.Equal([200], owners.Of(one.Dumped.Inode).Select(static holder => holder.Pid));
        Assert.Equal([200, 201], owners.Of(shared.Dumped.Inode).Select(static holder => holder.Pid));
        Assert.Empty(owners.Of(0));
    }

    /// <summary>Connections of any state and family count that are not candidates; listeners, pipes and what is nobody's do not.</summary>
    [Fact]
    public void WhatWouldBeLostBesides()
    {
        FakeTcp wanted = Add(_worker);
        Add(_worker);
        FakeTcp closing = Add(_worker);
        closing.Dumped = closing.Dumped with { State = TcpState.CloseWait, Family = 10, Source = "fd00::1", Destination = "fd00::2" };
        FakeTcp listener = Add(_worker);
        listener.Dumped = listener.Dumped with { State = TcpState.Listen };
        _worker.Descriptors[20] = "pipe:[7]";
        _worker.Descriptors[21] = "socket:[7]";
        FakeTcp orphan = Add();
        orphan.Dumped = orphan.Dumped with { Inode = 0 };
        _worker.Descriptors[22] = "socket:[0]";
        Assert.Equal(2, Forecast(wanted));
    }

    /// <summary>Each process once, however many of its connections are candidates; and only those that would be signalled.</summary>
    [Fact]
    public void EachProcessCountsOnce()
    {
        FakeTcp[] wanted = [Add(_worker), Add(_worker)];
        Add(_worker);
        FakeProcess other = _host.Add(new FakeProcess(300) { Uid = 999 });
        FakeTcp received = Add(other);
        Add(other);
        Assert.Equal(1, Forecast([.. wanted, received]));
        Assert.Equal(0, Forecast(received));
    }

    [Fact]
    public void WhoCannotBeLookedInto()
    {
        FakeTcp one = Add(_worker);
        _host.Add(new FakeProcess(300) { Refusal = Errno.EACCES });
        SocketOwners owners = Owners(one);
        Assert.Equal((1, 300, Errno.EACCES), (owners.Unreadable.Count, owners.Unreadable.FirstPid, owners.Unreadable.Errno));
    }

    /// <summary>Without the list of connections nobody knows what would be lost: it is not "nothing".</summary>
    [Fact]
    public void WithoutAListThereIsNoForecast()
    {
        FakeTcp one = Add(_worker);
        ConnectionList candidates = _host.Candidates(one);
        _host.Faults.Errno = static (call, _) => call == "send" ? Errno.ENOMEM : 0;
        using IProcessTable table = _host.OpenProcesses();
        var e = Assert.Throws<SystemCallException>(() => OwnerForecast.FindAndCount(table, new SocketDump(), candidates));
        Assert.Equal((Operation.ListSockets, Errno.ENOMEM), (e.Operation, e.Errno));
    }

    private SocketOwners Owners(params FakeTcp[] candidates)
    {
        using IProcessTable table = _host.OpenProcesses();
        return OwnerForecast.FindAndCount(table, new SocketDump(), _host.Candidates(candidates));
    }

    private int Forecast(params FakeTcp[] candidates)
    {
        Rule rule = Words.Rule("-s", "22", "--method", "kill");
        var method = new ProcessKiller(rule, new IdleRule(rule), _host.OpenProcesses);
        return OwnerForecast.OthersLost(method, _host.Candidates(candidates), Owners(candidates));
    }

    private FakeTcp Add(params FakeProcess[] holders) =>
        _host.Add(new FakeTcp(new DumpedSocket { Inode = _next++, Cookie = _next, DestinationPort = (ushort)_next, Uid = 1000 }), holders);
}
