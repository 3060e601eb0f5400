using TcpCloser.Diag;
using TcpCloser.Interop;
using TcpCloser.Kill;
using TcpCloser.Proc;
using TcpCloser.Tests.Support;

namespace TcpCloser.Tests.Kill;

/// <summary>What a kill would cost: who holds the candidates, and what those processes would lose besides.</summary>
public sealed class KillForecastTests
{
    private readonly FakeHost _host = new();
    private readonly FakeProcess _worker;
    private uint _next = 500;

    public KillForecastTests()
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
        KillForecast forecast = Forecast(one, shared, orphan);
        Assert.Equal([200], Holders(forecast, 0));
        Assert.Equal([200, 201], Holders(forecast, 1));
        Assert.Empty(Holders(forecast, 2));
    }

    /// <summary>A process that has a socket under two numbers holds it once.</summary>
    [Fact]
    public void ADuplicateDescriptor()
    {
        FakeTcp one = Add(_worker);
        _worker.Descriptors[9] = one.Link;
        Assert.Equal([200], Holders(Forecast(one), 0));
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
        Assert.Equal(2, Forecast(wanted).OtherConnections);
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
        Assert.Equal(1, Forecast([.. wanted, received]).OtherConnections);
        Assert.Equal(0, Forecast(received).OtherConnections);
    }

    [Fact]
    public void WhoCannotBeLookedInto()
    {
        FakeTcp one = Add(_worker);
        _host.Add(new FakeProcess(300) { Refusal = Errno.EACCES });
        KillForecast forecast = Forecast(one);
        Assert.Equal((1, 300, Errno.EACCES), (forecast.Unreadable.Count, forecast.Unreadable.FirstPid, forecast.Unreadable.Errno));
    }

    /// <summary>Without the list of connections nobody knows what would be lost: it is not "nothing".</summary>
    [Fact]
    public void WithoutAListThereIsNoForecast()
    {
        FakeTcp one = Add(_worker);
        ConnectionList candidates = _host.Candidates(one);
        _host.Faults.Errno = static (call, _) => call == "send" ? Errno.ENOMEM : 0;
        using IProcessTable table = _host.OpenProcesses();
        var e = Assert.Throws<SystemCallException>(() => new KillForecast(new SocketDump(), candidates, table));
        Assert.Equal((Operation.ListSockets, Errno.ENOMEM), (e.Operation, e.Errno));
    }

    private static IEnumerable<int> Holders(KillForecast forecast, int candidate) => forecast.Holders(candidate).Select(static holder => holder.Pid);

    private KillForecast Forecast(params FakeTcp[] candidates)
    {
        using IProcessTable table = _host.OpenProcesses();
        return new KillForecast(new SocketDump(), _host.Candidates(candidates), table);
    }

    private FakeTcp Add(params FakeProcess[] holders) =>
        _host.Add(new FakeTcp(new DumpedSocket { Inode = _next++, Cookie = _next, DestinationPort = (ushort)_next, Uid = 1000 }), holders);
}
