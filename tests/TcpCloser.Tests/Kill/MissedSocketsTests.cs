namespace TcpCloser.Tests.Kill;

/// <summary>
/// Sockets that the kernel does not find behind another: of several with the same endpoints it takes the first, and only then
/// compares the cookie.
/// </summary>
public sealed class MissedSocketsTests
{
    private const ulong FirstCookie = 0x7_0000_0001;

    private readonly FakeHost _host = new();
    private RecordingSink _sink = new(new ConnectionList());

    /// <summary>The last listener of a group is found last: that takes as many attempts as there are listeners.</summary>
    [Theory]
    [Values(1, 2, 7)]
    public void Destroy_GroupOfListeners_IsDestroyedWhole(int count)
    {
        Listeners(count);
        Assert.Equal(Enumerable.Repeat("Destroyed", count), Destroy([.. Enumerable.Range(0, count).Reverse()]));
        Assert.All(_host.Sockets, static socket => Assert.Equal("destroy", socket.EndedBy));
        Assert.Equal(0, _host.AllLeftOpen);
    }

    /// <summary>
    /// If the listener that the kernel finds is not a candidate, the others are out of reach, which does not make them "vanished".
    /// </summary>
    [Fact]
    public void Destroy_FirstListenerIsNotACandidate_OthersAreStillThere()
    {
        Listeners(3);
        Assert.Equal(["StillThere", "StillThere"], Destroy([1, 2]));
        Assert.All(_host.Sockets, static socket => Assert.True(socket.IsOpen));
        Assert.InRange(_host.Kernel.Sent.Count(DestroyRequest.IsDestroy), 2, 3);
    }

    /// <summary>Repeated attempts for one socket do not change the results of the others in its batch.</summary>
    [Fact]
    public void Destroy_BatchWithAMissedSocket_EachHasItsOwnResult()
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

    /// <summary>Two connections that are bound to a device and have the same endpoints.</summary>
    [Fact]
    public void Destroy_TwoConnectionsWithTheSameEndpoints_BothAreDestroyed()
    {
        for (uint i = 0; i < 2; i++)
        {
            _host.Add(new FakeTcp(new DumpedSocket { Family = 10, Source = "fe80::1", Destination = "fe80::2", Interface = 3, Cookie = FirstCookie + i }));
        }

        Assert.Equal(["Destroyed", "Destroyed"], Destroy([1, 0]));
    }

    /// <summary>Without a list, whether the missed socket is still there is unknown.</summary>
    [Fact]
    public void Destroy_MissedSocketAndListFails_IsUnknown()
    {
        Listeners(2);
        _host.Faults.Errno = static (call, _) => call == "send" ? Errno.ENOMEM : 0;
        Assert.Equal(["Unknown", "Destroyed"], Destroy([1, 0]));
        Assert.True(_host.Sockets[1].IsOpen);
    }

    /// <summary>Without a descriptor for the second attempt, what was destroyed is still reported.</summary>
    [Fact]
    public void Destroy_MissedSocketAndNoDescriptorLeft_IsUnknown()
    {
        Listeners(2);
        int opened = 0;
        _host.Faults.Errno = (call, _) => call == "open netlink" && opened++ > 0 ? Errno.EMFILE : 0;
        Assert.Equal(["Unknown", "Destroyed"], Destroy([1, 0]));
        Assert.True(_host.Sockets[1].IsOpen);
    }

    /// <summary>If the second attempt is refused, that refusal is the result.</summary>
    [Fact]
    public void Destroy_SecondAttemptRefused_IsFailed()
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
        new SockDestroyer(leavesUnsupported: false).Run(candidates, Contexts.Of(_host.Machine, _sink));
        _sink.AssertAllReported();
        return [.. Enumerable.Range(0, candidates.Count).Select(i => candidates[i].Outcome.ToString())];
    }
}
