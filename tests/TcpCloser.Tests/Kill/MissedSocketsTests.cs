namespace TcpCloser.Tests.Kill;

/// <summary>
/// Sockets that the kernel does not find behind another: of several with the same endpoints it takes the first, and only then
/// compares the cookie.
/// </summary>
public sealed class MissedSocketsTests : StepTestBase
{
    private const ulong FirstCookie = 0x7_0000_0001;

    /// <summary>The last listener of a group is found last: that takes as many attempts as there are listeners.</summary>
    [Theory]
    [Values(1, 2, 7)]
    public void Destroy_GroupOfListeners_IsDestroyedWhole(int count)
    {
        Listeners(count);
        Assert.Equal(Enumerable.Repeat("Destroyed", count), Destroy([.. Enumerable.Range(0, count).Reverse()]));
        Assert.All(Host.Sockets, static socket => Assert.Equal("destroy", socket.EndedBy));
        Assert.Equal(0, Host.AllLeftOpen);
    }

    /// <summary>Behind a listener that is not a candidate the others are out of reach, which does not make them "vanished".</summary>
    [Fact]
    public void Destroy_FirstListenerIsNotACandidate_OthersAreStillThere()
    {
        Listeners(3);
        Assert.Equal(["StillThere", "StillThere"], Destroy([1, 2]));
        Assert.All(Host.Sockets, static socket => Assert.True(socket.IsOpen));
        Assert.InRange(Host.Kernel.Sent.Count(DestroyRequest.IsDestroy), 2, 3);
    }

    /// <summary>Repeated attempts for one socket do not change the results of the others in its batch.</summary>
    [Fact]
    public void Destroy_BatchWithAMissedSocket_EachHasItsOwnResult()
    {
        Listeners(2);
        FakeTcp gone = Host.Add(new FakeTcp(new DumpedSocket { State = TcpState.Listen, SourcePort = 23, DestinationPort = 0, Cookie = 5 }));
        FakeTcp plain = Host.Add(new FakeTcp(new DumpedSocket { SourcePort = 24, Cookie = 6 }));
        FakeTcp vanished = Host.Add(new FakeTcp(new DumpedSocket { SourcePort = 25, Cookie = 7 }));
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
            Host.Add(new FakeTcp(new DumpedSocket { Family = 10, Source = "fe80::1", Destination = "fe80::2", Interface = 3, Cookie = FirstCookie + i }));
        }

        Assert.Equal(["Destroyed", "Destroyed"], Destroy([1, 0]));
    }

    /// <summary>
    /// Without a list, or a descriptor for the second attempt, whether the missed socket is still there is unknown; if the second attempt is
    /// refused, that is the result. What was destroyed is reported in any case.
    /// </summary>
    [Theory]
    [Rows("send | 0 | ENOMEM | Unknown", "open netlink | 1 | EMFILE | Unknown", "send destroy | 1 | ENOBUFS | Failed")]
    public void Destroy_SecondAttemptNotPossible_IsUnknownOrFailed(string call, int first, int errno, string outcome)
    {
        Listeners(2);
        int calls = 0;
        Host.Faults.Errno = (name, _) => name == call && calls++ >= first ? errno : 0;
        Assert.Equal([outcome, "Destroyed"], Destroy([1, 0]));
        Assert.True(Host.Sockets[1].IsOpen);
    }

    private void Listeners(int count)
    {
        var listener = new DumpedSocket { State = TcpState.Listen, DestinationPort = 0, Destination = "0.0.0.0" };
        for (int i = 0; i < count; i++)
        {
            Host.Add(new FakeTcp(listener with { Cookie = FirstCookie + (ulong)i, Inode = 900 + (uint)i }));
        }
    }

    private ConnectionList Candidates(int[] order) => Host.Candidates([.. order.Select(i => Host.Sockets[i])]);
    private string[] Destroy(int[] order) => Destroy(Candidates(order));

    private string[] Destroy(ConnectionList candidates)
    {
        string[] outcomes = Run(new SockDestroyer(leavesUnsupported: false), candidates);
        Sink.AssertAllReported();
        return outcomes;
    }
}
