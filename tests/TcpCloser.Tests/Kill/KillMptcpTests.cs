namespace TcpCloser.Tests.Kill;

/// <summary><c>--method kill</c> on MPTCP connections, whose subflows end together.</summary>
public sealed class KillMptcpTests : KillTestBase
{
    /// <summary>After the last holder ended, the subflows stay established for a while, under the same inode.</summary>
    [Fact]
    public void Kill_MptcpHolderEnds_IsClosedThoughItsSubflowsLinger()
    {
        FakeTcp[] subflows = AddMptcp(Worker);
        Assert.Equal(["Killed", "Killed"], Kill());
        Assert.All(subflows, static subflow => Assert.True(subflow.IsOpen));
        Assert.Equal([(200, Signal.SIGKILL)], Host.Signals);
    }

    [Fact]
    public void Kill_MptcpHolderSurvives_IsNotClosed()
    {
        AddMptcp(Host.Add(new FakeProcess(210) { Survives = static _ => true }));
        Assert.Equal(["NotAwaited", "NotAwaited"], Kill(stop: () => Host.Signals.Count > 0));
    }

    [Fact]
    public void Kill_MptcpLookupFailsAfterTheSignal_IsUnknown()
    {
        AddMptcp(Worker);
        ConnectionList candidates = Host.Candidates();
        Host.Faults.Errno = (call, _) => call == "open netlink" && Host.Signals.Count > 0 ? Errno.EMFILE : 0;
        Assert.Equal(["Unknown", "Unknown"], Kill(candidates));
    }

    [Fact]
    public void Kill_OneSubflowBusyBeforeTheSignal_SkipsTheConnection()
    {
        FakeTcp[] subflows = AddMptcp(Worker);
        subflows[1].Dumped = subflows[1].Dumped with { LastDataRecv = 5 };
        Assert.Equal(["SubflowBusy", "Busy"], Kill(words: "-t 10s"));
        Assert.Empty(Host.Signals);
    }

    /// <summary>A subflow that ended before the signal does not keep the rest from being closed.</summary>
    [Fact]
    public void Kill_OneSubflowGoneBeforeTheSignal_ClosesTheRest()
    {
        FakeTcp[] subflows = AddMptcp(Worker);
        Host.Faults.BeforeFirst("open process", () => subflows[0].End(FakeHost.ByItself));
        Assert.Equal(["Killed", "Killed"], Kill(words: "-t 10s"));
        Assert.Equal([(200, Signal.SIGKILL)], Host.Signals);
    }

    private FakeTcp[] AddMptcp(FakeProcess holder)
    {
        var subflow = new DumpedSocket { Inode = NextInode, Uid = 1000, LastDataRecv = 60_000, IsMptcp = true };
        FakeTcp[] subflows = [.. Enumerable.Range(1, 2).Select(i =>
            Host.Add(new FakeTcp(subflow with { Cookie = NextInode + (ulong)i, DestinationPort = (ushort)i }) { MptcpCookie = 77 }))];
        holder.Descriptors[3] = subflows[0].Link;
        return subflows;
    }
}
