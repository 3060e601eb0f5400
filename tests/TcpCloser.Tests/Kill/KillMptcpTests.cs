namespace TcpCloser.Tests.Kill;

/// <summary><c>--method kill</c> on MPTCP connections, whose subflows end together.</summary>
public sealed class KillMptcpTests : KillTestBase
{
    /// <summary>
    /// After the last holder ended, the subflows stay established for a while, under the same inode: the connection counts as closed.
    /// </summary>
    [Fact]
    public void Kill_MptcpHolderEnds_IsClosedThoughItsSubflowsLinger()
    {
        FakeTcp[] subflows = AddMptcp(Worker);
        Assert.Equal(["Killed", "Killed"], Kill());
        Assert.All(subflows, static subflow => Assert.True(subflow.IsOpen));
        Assert.Equal([(200, Signal.SIGKILL)], Host.Signals);
    }

    /// <summary>As long as a process has the connection open, it does not count as closed.</summary>
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

    /// <summary>One of the subflows received data right before the signal.</summary>
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
        Host.Faults.Before = (call, _) =>
        {
            if (call == "open process")
            {
                subflows[0].End(FakeHost.ByItself);
            }
        };
        Assert.Equal(["Killed", "Killed"], Kill(words: "-t 10s"));
        Assert.Equal([(200, Signal.SIGKILL)], Host.Signals);
    }

    private FakeTcp[] AddMptcp(FakeProcess holder)
    {
        const ulong Cookie = 77;
        uint inode = NextInode;
        FakeTcp[] subflows = [.. Enumerable.Range(1, 2).Select(i => Host.Add(new FakeTcp(new DumpedSocket
        {
            Inode = inode,
            Cookie = inode + (ulong)i,
            DestinationPort = (ushort)i,
            Uid = Owner,
            LastDataRecv = 60_000,
            IsMptcp = true,
        })
        {
            MptcpCookie = Cookie,
        }))];
        holder.Descriptors[3] = subflows[0].Link;
        return subflows;
    }
}
