using TcpCloser.Diag;
using TcpCloser.Interop;
using TcpCloser.Kill;
using TcpCloser.Tests.Support;

namespace TcpCloser.Tests.Kill;

/// <summary>
/// Sockets that the kernel finds another in place of: of several with the same ends it takes the first, and only then compares the
/// cookie.
/// </summary>
public sealed class MissedSocketsTests
{
    private const ulong FirstCookie = 0x7_0000_0001;

    private readonly FakeHost _host = new();
    private RecordingSink _sink = new(new ConnectionList());

    /// <summary>The last of a group is the last that is found: it takes as many tries as there are listeners.</summary>
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(7)]
    public void AGroupOfListenersIsDestroyedWhole(int count)
    {
        Listeners(count);
        Assert.Equal(Enumerable.Repeat("Destroyed", count), Destroy([.. Enumerable.Range(0, count).Reverse()]));
        Assert.All(_host.Sockets, static socket => Assert.Equal("destroy", socket.EndedBy));
        Assert.Equal(0, _host.AllLeftOpen);
    }

    /// <summary>Where the one that is found is not asked for, the others are not reached, and are not "vanished" either.</summary>
    [Fact]
    public void OneThatIsNeverFoundIsStillThere()
    {
        Listeners(3);
        Assert.Equal(["StillThere", "StillThere"], Destroy([1, 2]));
        Assert.All(_host.Sockets, static socket => Assert.True(socket.IsOpen));
        Assert.InRange(_host.Kernel.Sent.Count(DestroyRequest.IsDestroy), 2, 3);
    }

    /// <summary>What is still there may be destroyed for others of the same batch; what vanished did so.</summary>
    [Fact]
    public void OthersOfTheBatch()
    {
        Listeners(2);
        FakeTcp gone = _host.Add(new FakeTcp(new DumpedSocket { State = TcpState.Listen, SourcePort = 23, DestinationPort = 0, Cookie = 5 }));
        FakeTcp plain = _host.Add(new FakeTcp(new DumpedSocket { SourcePort = 24, Cookie = 6 }));
        FakeTcp vanished = _host.Add(new FakeTcp(new DumpedSocket { SourcePort = 25, Cookie = 7 }));
        ConnectionList candidates = Candidates([2, 1, 3, 0, 4]);
        gone.End(FakeHost.ByItself);
        vanished.End(FakeHost.ByItself);
        Assert.Equal(["Vanished", "Destroyed", "Destroyed", "Destroyed", "Vanished"], Destroy(candidates));
        Assert.Equal("destroy", plain.EndedBy);
    }

    /// <summary>Two connections that differ only in the device that they are bound to.</summary>
    [Fact]
    public void BoundToDevices()
    {
        for (uint i = 0; i < 2; i++)
        {
            _host.Add(new FakeTcp(new DumpedSocket { Family = 10, Source = "fe80::1", Destination = "fe80::2", Interface = 3, Cookie = FirstCookie + i }));
        }

        Assert.Equal(["Destroyed", "Destroyed"], Destroy([1, 0]));
    }

    /// <summary>A connection that is bound to nothing is found by its ends alone: not to be found is to be gone, and is not looked up.</summary>
    [Fact]
    public void WhatIsBoundToNothingIsNotLookedUp()
    {
        FakeTcp gone = _host.Add(new FakeTcp(new DumpedSocket()));
        ConnectionList candidates = Candidates([0]);
        gone.End(FakeHost.ByItself);
        Assert.Equal(["Vanished"], Destroy(candidates));
        Assert.Single(_host.Kernel.Sent);
    }

    /// <summary>Without a list nobody knows whether it is there.</summary>
    [Fact]
    public void WhereNothingCanBeListed()
    {
        Listeners(2);
        _host.Faults.Errno = static (call, _) => call == "send" ? Errno.ENOMEM : 0;
        Assert.Equal(["Unknown", "Destroyed"], Destroy([1, 0]));
        Assert.True(_host.Sockets[1].IsOpen);
    }

    /// <summary>A refusal of the second try is what is told.</summary>
    [Fact]
    public void TheSecondTryIsRefused()
    {
        Listeners(2);
        int sent = 0;
        _host.Faults.Errno = (call, _) => call == "send destroy" && sent++ == 1 ? Errno.ENOBUFS : 0;
        Assert.Equal(["Failed", "Destroyed"], Destroy([1, 0]));
        Assert.True(_host.Sockets[1].IsOpen);
    }

    private void Listeners(int count)
    {
        for (int i = 0; i < count; i++)
        {
            _host.Add(new FakeTcp(new DumpedSocket
            {
                State = TcpState.Listen,
                DestinationPort = 0,
                Destination = "0.0.0.0",
                Cookie = FirstCookie + (ulong)i,
                Inode = 900 + (uint)i,
            }));
        }
    }

    private ConnectionList Candidates(int[] order) => _host.Candidates([.. order.Select(i => _host.Sockets[i])]);

    private string[] Destroy(int[] order) => Destroy(Candidates(order));

    private string[] Destroy(ConnectionList candidates)
    {
        _sink = new RecordingSink(candidates);
        new SockDestroyer(new SocketDump(), _host.Network, leavesUnsupported: false).Close(candidates, _sink, static () => false);
        _sink.AssertAllTold();
        return [.. Enumerable.Range(0, candidates.Count).Select(i => candidates[i].Outcome.ToString())];
    }
}
