namespace TcpCloser.Tests.Kill;

/// <summary>The filters by local address and by MPTCP subflow.</summary>
public sealed class CandidateFilterTests
{
    private const byte LocalRoute = 2;
    private RecordingSink _sink = new(new ConnectionList());

    [Fact]
    public void AddressGone_LocalAddressPresent_IsSkipped()
    {
        ConnectionList candidates = Connections.List(Routes("10.0.0.1"), Connections.Of("10.0.0.1:22 9.9.9.9:1"), Connections.Of("10.0.0.2:22 9.9.9.9:1"),
            Connections.Of("10.0.0.1:23 9.9.9.9:1"));
        Assert.Equal(["AddressPresent", "Pending", "AddressPresent"], Apply(new AddressGoneFilter(), candidates));
        Assert.Empty(_sink.Notices);
    }

    /// <summary>A transparent proxy's local route covers every address; that is reported once.</summary>
    [Fact]
    public void AddressGone_LocalRouteForEveryAddress_SkipsAllAndReportsItOnce()
    {
        ConnectionList candidates = Connections.List(Routes(destination: null), Connections.Of("10.0.0.1:22 9.9.9.9:1"), Connections.Of("10.0.0.2:22 9.9.9.9:1"));
        Assert.Equal(["AddressPresent", "AddressPresent"], Apply(new AddressGoneFilter(), candidates));
        Assert.StartsWith("a local route accepts every address", Assert.Single(_sink.Notices), StringComparison.Ordinal);
    }

    /// <summary>Each connection is compared with the addresses of its own network namespace.</summary>
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

        Assert.Equal(["AddressPresent", "Pending", "Pending", "AddressPresent"], Apply(new AddressGoneFilter(), candidates));
    }

    /// <summary>A connection with a subflow that is not a candidate is skipped; one whose subflows are all candidates is not.</summary>
    [Fact]
    public void Mptcp_OneSubflowIsNotACandidate_SkipsTheConnection()
    {
        var host = new FakeHost();
        var scene = new ServerScene(host);
        (FakeTcp[] whole, FakeTcp[] partly) = scene.AddMptcp(scene.Worker);
        ConnectionList candidates = host.Candidates([.. whole, partly[0], scene.One]);
        Assert.Equal(["Pending", "Pending", "SubflowBusy", "Pending"], Apply(new MptcpFilter(), candidates));
        Assert.Empty(_sink.Problems);
        Assert.Equal(0, host.AllLeftOpen);
    }

    /// <summary>If the other subflows cannot be listed, no subflow is closed.</summary>
    [Fact]
    public void Mptcp_SubflowsCannotBeListed_AreFailedAndTheRestIsKept()
    {
        var host = new FakeHost();
        var scene = new ServerScene(host);
        (FakeTcp[] whole, _) = scene.AddMptcp(scene.Worker);
        ConnectionList candidates = host.Candidates([.. whole, scene.One]);
        host.Faults.Errno = static (call, _) => call == "send" ? Errno.ENOMEM : 0;
        Assert.Equal(["Failed", "Failed", "Pending"], Apply(new MptcpFilter(), candidates));
        Assert.Equal([(Operation.ListSockets, Errno.ENOMEM, null)], _sink.Problems);
        Assert.Equal(Errno.ENOMEM, candidates[0].Errno);
    }

    /// <summary>A subflow without an inode belongs to no connection that could be closed whole; it is destroyed on its own.</summary>
    [Fact]
    public void Mptcp_SubflowWithoutAnInode_IsKept()
    {
        var host = new FakeHost();
        var scene = new ServerScene(host);
        (FakeTcp[] whole, FakeTcp[] partly) = scene.AddMptcp(scene.Worker);
        foreach (FakeTcp subflow in (FakeTcp[])[whole[0], whole[1], partly[0], partly[1]])
        {
            subflow.Dumped = subflow.Dumped with { Inode = 0 };
        }

        Assert.Equal(["Pending"], Apply(new MptcpFilter(), host.Candidates(whole[0])));
        Assert.Empty(host.Faults.Calls);
    }

    private static FakeKernel Routes(string? destination) => new((sent, _) => sent[16] == Socket.AF_INET6
        ? [Answer.Of(Netlink.DoneMessage())]
        : [Answer.Of(Netlink.Route(LocalRoute, destination, (byte)(destination is null ? 0 : 32)), Netlink.DoneMessage())]);

    private string[] Apply(IStep filter, ConnectionList candidates)
    {
        _sink = new RecordingSink(candidates);
        filter.Run(candidates, Contexts.Of(_sink));
        return [.. Enumerable.Range(0, candidates.Count).Select(i => candidates[i].Outcome.ToString())];
    }
}
