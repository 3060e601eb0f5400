namespace TcpCloser.Tests.Kill;

/// <summary>Who holds the candidates, and what else a kill would end.</summary>
public sealed class HoldersTests
{
    private readonly FakeHost _host = new();
    private readonly FakeProcess _worker;
    private uint _next = 500;

    public HoldersTests()
    {
        _host.Add(new FakeProcess(1) { Uid = 0 });
        _host.Add(new FakeProcess(_host.Self) { Parent = 1, Uid = 0 });
        _worker = _host.Add(new FakeProcess(200));
    }

    [Fact]
    public void Holders_OfSharedAndUnheldSockets_AreFound()
    {
        FakeProcess sibling = _host.Add(new FakeProcess(201));
        FakeTcp one = Add(_worker);
        FakeTcp shared = Add(_worker, sibling);
        FakeTcp orphan = Add();
        orphan.Dumped = orphan.Dumped with { Inode = 0 };
        _worker.Descriptors[22] = "socket:[0]";
        Holders holders = Find(one, shared, orphan);
        Assert.Equal([200], holders.Of(one.Dumped.Inode).Select(static holder => holder.Pid));
        Assert.Equal([200, 201], holders.Of(shared.Dumped.Inode).Select(static holder => holder.Pid));
        Assert.Empty(holders.Of(0));
    }

    /// <summary>Where /proc hides processes, a socket without a visible holder has an unknown holder, not none.</summary>
    [Theory]
    [Values(true, false)]
    public void Holders_ProcHidesProcesses_AreUnknown(bool isHidden)
    {
        var host = new FakeHost();
        host.Add(new FakeProcess(1) { Uid = 0, IsHidden = isHidden });
        var holders = new Holders(host.Machine);
        using IProcessTable table = host.OpenProcesses();
        holders.Ensure(table, Known.All, new ConnectionList());
        Assert.Equal(isHidden, holders.HasUnreadable);
    }

    /// <summary>Connections that are not candidates count, in any state and family; listeners, pipes and unheld sockets do not.</summary>
    [Fact]
    public void OthersLost_ConnectionsThatAreNotCandidates_AreCounted()
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
        Assert.Equal(2, CountOthersLost(wanted));
    }

    /// <summary>Each process counts once, however many of its connections are candidates, and only if it would be signalled.</summary>
    [Fact]
    public void OthersLost_ProcessWithSeveralCandidates_CountsOnce()
    {
        FakeTcp[] wanted = [Add(_worker), Add(_worker)];
        Add(_worker);
        FakeProcess other = _host.Add(new FakeProcess(300) { Uid = 999 });
        FakeTcp received = Add(other);
        Add(other);
        Assert.Equal(1, CountOthersLost([.. wanted, received]));
        Assert.Equal(0, CountOthersLost(received));
    }

    /// <summary>An MPTCP connection counts once, however many subflows it has, and even if it has none; its listener does not.</summary>
    [Fact]
    public void OthersLost_MptcpConnections_CountOnceEach()
    {
        FakeTcp wanted = Add(_worker);
        AddMptcp(60, TcpState.Established, TcpState.Established);
        AddMptcp(61);
        AddMptcp(62, TcpState.Listen);
        Assert.Equal(2, CountOthersLost(wanted));
    }

    /// <summary>A kernel without MPTCP has no such connections. Any other refusal leaves something unknown.</summary>
    [Theory]
    [Rows("ENOENT | false", "ENOMEM | true")]
    public void OthersLost_MptcpCannotBeListed_IsUnknownUnlessTheKernelHasNone(int errno, bool isUnknown)
    {
        FakeTcp wanted = Add(_worker);
        int sent = 0;
        _host.Faults.Errno = (call, _) => call == "send" && sent++ > 0 ? errno : 0;
        Assert.Equal(isUnknown, Record.Exception(() => CountOthersLost(wanted)) is SystemCallException);
    }

    /// <summary>Without the list of connections, what would be lost is unknown, which is not "nothing".</summary>
    [Fact]
    public void OthersLost_ConnectionsCannotBeListed_Throws()
    {
        FakeTcp one = Add(_worker);
        ConnectionList candidates = _host.Candidates(one);
        _host.Faults.Errno = static (call, _) => call == "send" ? Errno.ENOMEM : 0;
        using IProcessTable table = _host.OpenProcesses();
        var e = Assert.Throws<SystemCallException>(() => new Holders(_host.Machine).Ensure(table, Known.AllCounted, candidates));
        Assert.Equal((Operation.ListSockets, Errno.ENOMEM), (e.Failure.Operation, e.Failure.Errno));
    }

    private Holders Find(params FakeTcp[] candidates)
    {
        using IProcessTable table = _host.OpenProcesses();
        var holders = new Holders(_host.Machine);
        holders.Ensure(table, Known.AllCounted, _host.Candidates(candidates));
        return holders;
    }

    private int CountOthersLost(params FakeTcp[] candidates) =>
        Find(candidates).OthersLost(_host.Candidates(candidates), overflowUid: null);

    /// <summary>Adds an MPTCP connection of the worker with subflows in those states.</summary>
    private void AddMptcp(ulong cookie, params byte[] states)
    {
        uint inode = _next++;
        _worker.Descriptors[(int)inode] = $"socket:[{inode}]";
        foreach (byte state in states)
        {
            _host.Add(new FakeTcp(new DumpedSocket { Inode = inode, Cookie = ++_next, DestinationPort = (ushort)_next, State = state, IsMptcp = true })
            {
                MptcpCookie = cookie,
            });
        }

        if (states.Length == 0)
        {
            _host.MptcpWithoutSubflows.Add(new DumpedSocket { Inode = inode, Cookie = cookie });
        }
    }

    private FakeTcp Add(params FakeProcess[] holders) =>
        _host.Add(new FakeTcp(new DumpedSocket { Inode = _next++, Cookie = _next, DestinationPort = (ushort)_next, Uid = 1000 }), holders);
}
