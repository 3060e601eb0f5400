namespace TcpCloser.Tests.Kill;

/// <summary>The filters by local address and by MPTCP subflow.</summary>
public sealed class CandidateFilterTests : StepTestBase
{
    private const byte LocalRoute = 2;

    [Fact]
    public void AddressGone_LocalAddressPresent_IsSkipped()
    {
        ConnectionList candidates = Connections.List(Routes("10.0.0.1"), Connections.Of("10.0.0.1:22 9.9.9.9:1"), Connections.Of("10.0.0.2:22 9.9.9.9:1"),
            Connections.Of("10.0.0.1:23 9.9.9.9:1"));
        Assert.Equal(["AddressPresent", "Pending", "AddressPresent"], Run(new AddressGoneFilter(), candidates));
        Assert.Empty(Sink.Notices);
    }

    /// <summary>A transparent proxy's local route covers every address; that is reported once.</summary>
    [Fact]
    public void AddressGone_LocalRouteForEveryAddress_SkipsAllAndReportsItOnce()
    {
        ConnectionList candidates = Connections.List(Routes(destination: null), Connections.Of("10.0.0.1:22 9.9.9.9:1"), Connections.Of("10.0.0.2:22 9.9.9.9:1"));
        Assert.Equal(["AddressPresent", "AddressPresent"], Run(new AddressGoneFilter(), candidates));
        Assert.StartsWith("a local route accepts every address", Assert.Single(Sink.Notices), StringComparison.Ordinal);
    }

    [Fact]
    public void AddressGone_TwoNamespaces_ComparesWithTheAddressesOfEach()
    {
        var candidates = new ConnectionList();
        foreach (string address in (string[])["10.0.0.1", "10.0.0.2"])
        {
            candidates.Begin(new FakeNamespace(Routes(address)));
            candidates.Add(Connections.Of("10.0.0.1:22 9.9.9.9:1"));
            candidates.Add(Connections.Of("10.0.0.2:22 9.9.9.9:1"));
        }

        Assert.Equal(["AddressPresent", "Pending", "Pending", "AddressPresent"], Run(new AddressGoneFilter(), candidates));
    }

    /// <summary>A connection with a subflow that is not a candidate is skipped; one whose subflows are all candidates is not.</summary>
    [Fact]
    public void Mptcp_OneSubflowIsNotACandidate_SkipsTheConnection()
    {
        var scene = new ServerScene(Host);
        (FakeTcp[] whole, FakeTcp[] partly) = scene.AddMptcp(scene.Worker);
        ConnectionList candidates = Host.Candidates([.. whole, partly[0], scene.One]);
        Assert.Equal(["Pending", "Pending", "SubflowBusy", "Pending"], Run(new MptcpFilter(), candidates));
        Assert.Empty(Sink.Problems);
    }

    [Fact]
    public void Mptcp_SubflowsCannotBeListed_AreFailedAndTheRestIsKept()
    {
        var scene = new ServerScene(Host);
        (FakeTcp[] whole, _) = scene.AddMptcp(scene.Worker);
        ConnectionList candidates = Host.Candidates([.. whole, scene.One]);
        Host.Faults.Fail("send", Errno.ENOMEM);
        Assert.Equal(["Failed", "Failed", "Pending"], Run(new MptcpFilter(), candidates));
        Assert.Equal([(Operation.ListSockets, Errno.ENOMEM, null)], Sink.Problems);
        Assert.Equal(Errno.ENOMEM, candidates[0].Errno);
    }

    /// <summary>A subflow without an inode belongs to no connection that could be closed whole; it is destroyed on its own.</summary>
    [Fact]
    public void Mptcp_SubflowWithoutAnInode_IsKept()
    {
        var scene = new ServerScene(Host);
        (FakeTcp[] whole, FakeTcp[] partly) = scene.AddMptcp(scene.Worker);
        foreach (FakeTcp subflow in (FakeTcp[])[whole[0], whole[1], partly[0], partly[1]])
        {
            subflow.Dumped = subflow.Dumped with { Inode = 0 };
        }

        Assert.Equal(["Pending"], Run(new MptcpFilter(), Host.Candidates(whole[0])));
        Assert.Empty(Host.Faults.Calls);
    }

    private static FakeKernel Routes(string? destination) => new((sent, _) => sent[16] == Socket.AF_INET6
        ? [Answer.Of(Netlink.DoneMessage())]
        : [Answer.Of(Netlink.Route(LocalRoute, destination, (byte)(destination is null ? 0 : 32)), Netlink.DoneMessage())]);
}
