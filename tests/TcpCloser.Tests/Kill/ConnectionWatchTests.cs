namespace TcpCloser.Tests.Kill;

/// <summary>Looks a connection up right before and right after something is done to it.</summary>
public sealed class ConnectionWatchTests
{
    /// <summary>Each connection is looked up in its own network namespace, through one netlink socket at a time.</summary>
    [Fact]
    public void Look_TwoNamespaces_UsesEachNamespaceThroughOneSocketAtATime()
    {
        var here = new FakeHost();
        var there = new FakeHost();
        FakeTcp first = here.Add(new FakeTcp(new DumpedSocket()));
        FakeTcp second = there.Add(new FakeTcp(new DumpedSocket { DestinationPort = 7 }));
        var candidates = new ConnectionList();
        foreach ((FakeHost host, FakeTcp socket) in new[] { (here, first), (there, second) })
        {
            candidates.Begin(host.Network);
            candidates.Add(host.Candidates(socket)[0]);
            candidates.Add(host.Candidates(socket)[0]);
        }

        using (var watch = new ConnectionWatch(candidates))
        {
            Assert.All([0, 1, 2, 3, 0, 3], i => Assert.Equal(Presence.There, watch.Look(i)));
            Assert.Equal(1, here.AllLeftOpen + there.AllLeftOpen);
            second.End(FakeHost.ByItself);
            Assert.Equal([Presence.There, Presence.Gone], [watch.Look(0), watch.Look(2)]);
        }

        Assert.Equal(0, here.AllLeftOpen + there.AllLeftOpen);
        Assert.Equal(6, Opened(here) + Opened(there));
    }

    /// <summary>A socket that lost its last holder is wound down by the kernel; a socket that never had one is not.</summary>
    [Theory]
    [Rows("500 | 500 | There", "500 | 0 | Gone", "0 | 0 | There")]
    public void Look_SocketWithoutAHolder_IsGoneOnlyIfItHadOne(uint inode, uint now, string presence)
    {
        var host = new FakeHost();
        FakeTcp socket = host.Add(new FakeTcp(new DumpedSocket { Inode = inode }));
        ConnectionList candidates = host.Candidates();
        socket.Dumped = socket.Dumped with { Inode = now };
        using var watch = new ConnectionWatch(candidates);
        Assert.Equal(presence, watch.Look(0).ToString());
    }

    /// <summary>A failed lookup does not mean "gone", and counts for that one look only.</summary>
    [Fact]
    public void Look_LookupFails_IsUnknownThatTimeOnly()
    {
        var host = new FakeHost();
        host.Add(new FakeTcp(new DumpedSocket()));
        using var watch = new ConnectionWatch(host.Candidates());
        host.Faults.Fail("send", Errno.ENOMEM);
        Assert.Equal((Presence.Unknown, Errno.ENOMEM), (watch.Look(0), watch.Errno));
        host.Faults.Errno = static (_, _) => 0;
        Assert.Equal((Presence.There, 0), (watch.Look(0), watch.Errno));
    }

    private static int Opened(FakeHost host) => host.Faults.Calls.Count(static call => call == "open netlink");
}
