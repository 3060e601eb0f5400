using TcpCloser.Diag;
using TcpCloser.Interop;
using TcpCloser.Kill;
using TcpCloser.Tests.Support;

namespace TcpCloser.Tests.Kill;

/// <summary>The look at a connection right before and after something is done to it.</summary>
public sealed class ConnectionWatchTests
{
    /// <summary>Each connection is looked for in its own network namespace, and each namespace is asked through one socket at a time.</summary>
    [Fact]
    public void EachInItsOwnNamespace()
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

    /// <summary>What has lost its last owner is wound down by the kernel, and gone; what never had one is there.</summary>
    [Theory]
    [InlineData(500, 500, "There")]
    [InlineData(500, 0, "Gone")]
    [InlineData(0, 0, "There")]
    public void WithoutAnOwner(uint inode, uint now, string presence)
    {
        var host = new FakeHost();
        FakeTcp socket = host.Add(new FakeTcp(new DumpedSocket { Inode = inode }));
        ConnectionList candidates = host.Candidates();
        socket.Dumped = socket.Dumped with { Inode = now };
        using var watch = new ConnectionWatch(candidates);
        Assert.Equal(presence, watch.Look(0).ToString());
    }

    /// <summary>That the kernel did not say is no "gone", and holds for that one look.</summary>
    [Fact]
    public void WhereTheKernelDoesNotSay()
    {
        var host = new FakeHost();
        host.Add(new FakeTcp(new DumpedSocket()));
        using var watch = new ConnectionWatch(host.Candidates());
        host.Faults.Errno = static (call, _) => call == "send" ? Errno.ENOMEM : 0;
        Assert.Equal((Presence.Unknown, Errno.ENOMEM), (watch.Look(0), watch.Errno));
        host.Faults.Errno = static (_, _) => 0;
        Assert.Equal((Presence.There, 0), (watch.Look(0), watch.Errno));
    }

    /// <summary>A cookie is given once: what was seen gone is not asked for again, which is half of what a kill asks.</summary>
    [Fact]
    public void WhatWasSeenGoneIsNotAskedForAgain()
    {
        var host = new FakeHost();
        host.Add(new FakeTcp(new DumpedSocket())).End(FakeHost.ByItself);
        host.Add(new FakeTcp(new DumpedSocket { DestinationPort = 7 }));
        using var watch = new ConnectionWatch(host.Candidates());
        Assert.Equal([Presence.Gone, Presence.There], [watch.Look(0), watch.Look(1)]);
        int sent = Sent(host);
        Assert.Equal([Presence.Gone, Presence.There], [watch.Look(0), watch.Look(1)]);
        Assert.Equal(1, Sent(host) - sent);
    }

    private static int Sent(FakeHost host) => host.Faults.Calls.Count(static call => call == "send");

    private static int Opened(FakeHost host) => host.Faults.Calls.Count(static call => call == "open netlink");
}
