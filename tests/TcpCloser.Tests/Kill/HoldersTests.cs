namespace TcpCloser.Tests.Kill;

/// <summary>Who holds the candidates, and what else a kill would end.</summary>
public sealed class HoldersTests : KillTestBase
{
    [Fact]
    public void Holders_OfSharedAndUnheldSockets_AreFound()
    {
        FakeProcess sibling = Host.Add(new FakeProcess(201));
        FakeTcp one = Add(Worker);
        FakeTcp shared = Add(Worker, sibling);
        FakeTcp orphan = Add();
        orphan.Dumped = orphan.Dumped with { Inode = 0 };
        Worker.Descriptors[22] = "socket:[0]";
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
        FakeTcp wanted = Add(Worker);
        Add(Worker);
        FakeTcp closing = Add(Worker);
        closing.Dumped = closing.Dumped with { State = TcpState.CloseWait, Family = 10, Source = "fd00::1", Destination = "fd00::2" };
        FakeTcp listener = Add(Worker);
        listener.Dumped = listener.Dumped with { State = TcpState.Listen };
        Worker.Descriptors[20] = "pipe:[7]";
        Worker.Descriptors[21] = "socket:[7]";
        FakeTcp orphan = Add();
        orphan.Dumped = orphan.Dumped with { Inode = 0 };
        Worker.Descriptors[22] = "socket:[0]";
        Assert.Equal(2, CountOthersLost(wanted));
    }

    /// <summary>Each process counts once, however many of its connections are candidates, and only if it would be signalled.</summary>
    [Fact]
    public void OthersLost_ProcessWithSeveralCandidates_CountsOnce()
    {
        FakeTcp[] wanted = [Add(Worker), Add(Worker)];
        Add(Worker);
        FakeProcess other = Host.Add(new FakeProcess(300) { Uid = 999 });
        FakeTcp received = Add(other);
        Add(other);
        Assert.Equal(1, CountOthersLost([.. wanted, received]));
        Assert.Equal(0, CountOthersLost(received));
    }

    /// <summary>An MPTCP connection counts once, however many subflows it has, and even if it has none; its listener does not.</summary>
    [Fact]
    public void OthersLost_MptcpConnections_CountOnceEach()
    {
        FakeTcp wanted = Add(Worker);
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
        FakeTcp wanted = Add(Worker);
        Host.Faults.FailOnce("send", errno, which: 1);
        Assert.Equal(isUnknown, Record.Exception(() => CountOthersLost(wanted)) is SystemCallException);
    }

    /// <summary>Without the list of connections, what would be lost is unknown, which is not "nothing".</summary>
    [Fact]
    public void OthersLost_ConnectionsCannotBeListed_Throws()
    {
        FakeTcp one = Add(Worker);
        ConnectionList candidates = Host.Candidates(one);
        Host.Faults.Fail("send", Errno.ENOMEM);
        using IProcessTable table = Host.OpenProcesses();
        var e = Assert.Throws<SystemCallException>(() => new Holders(Host.Machine).Ensure(table, Known.AllCounted, candidates));
        Assert.Equal((Operation.ListSockets, Errno.ENOMEM), (e.Failure.Operation, e.Failure.Errno));
    }

    private Holders Find(params FakeTcp[] candidates)
    {
        using IProcessTable table = Host.OpenProcesses();
        var holders = new Holders(Host.Machine);
        holders.Ensure(table, Known.AllCounted, Host.Candidates(candidates));
        return holders;
    }

    private int CountOthersLost(params FakeTcp[] candidates) =>
        Find(candidates).OthersLost(Host.Candidates(candidates), overflowUid: null);

    /// <summary>Adds an MPTCP connection of the worker with subflows in those states.</summary>
    private void AddMptcp(ulong cookie, params byte[] states)
    {
        var socket = new DumpedSocket { Inode = 700 + (uint)cookie, Cookie = cookie };
        Worker.Descriptors[(int)socket.Inode] = $"socket:[{socket.Inode}]";
        foreach (byte state in states)
        {
            ushort port = (ushort)(2_000 + Host.Sockets.Count);
            Host.Add(new FakeTcp(socket with { Cookie = port, DestinationPort = port, State = state, IsMptcp = true }) { MptcpCookie = cookie });
        }

        if (states.Length == 0)
        {
            Host.MptcpWithoutSubflows.Add(socket);
        }
    }
}
