using TcpCloser.Diag;
using TcpCloser.Interop;
using TcpCloser.Kill;
using TcpCloser.Tests.Support;
using Netlink = TcpCloser.Tests.Support.Netlink;

namespace TcpCloser.Tests.Kill;

/// <summary>The filters that look at addresses and at subflows.</summary>
public sealed class CandidateFilterTests
{
    private const byte LocalRoute = 2;
    private RecordingSink _sink = new(new ConnectionList());

    [Fact]
    public void AddressesThatAreThereAreLeftAlone()
    {
        ConnectionList candidates = Connections.List(Routes("10.0.0.1"), Connections.Of("10.0.0.1:22 9.9.9.9:1"), Connections.Of("10.0.0.2:22 9.9.9.9:1"),
            Connections.Of("10.0.0.1:23 9.9.9.9:1"));
        Assert.Equal(["AddressPresent", "Idle", "AddressPresent"], Apply(new AddressGoneFilter(), candidates));
        Assert.Empty(_sink.Notices);
    }

    /// <summary>A transparent proxy's route takes every address; that is said once.</summary>
    [Fact]
    public void WhereEveryAddressIsTakenNoneIsGone()
    {
        ConnectionList candidates = Connections.List(Routes(destination: null), Connections.Of("10.0.0.1:22 9.9.9.9:1"), Connections.Of("10.0.0.2:22 9.9.9.9:1"));
        Assert.Equal(["AddressPresent", "AddressPresent"], Apply(new AddressGoneFilter(), candidates));
        Assert.StartsWith("a local route takes every address", Assert.Single(_sink.Notices), StringComparison.Ordinal);
    }

    /// <summary>Each connection is held against the addresses of its own network namespace.</summary>
    [Fact]
    public void EachNamespaceHasItsOwnAddresses()
    {
        var candidates = new ConnectionList();
        foreach (string address in (string[])["10.0.0.1", "10.0.0.2"])
        {
            candidates.Begin(new FakeNamespace(Routes(address)));
            candidates.Add(Connections.Of("10.0.0.1:22 9.9.9.9:1"));
            candidates.Add(Connections.Of("10.0.0.2:22 9.9.9.9:1"));
        }

        Assert.Equal(["AddressPresent", "Idle", "Idle", "AddressPresent"], Apply(new AddressGoneFilter(), candidates));
    }

    /// <summary>A connection of which one subflow is not a candidate is left alone whole; one that has both is not.</summary>
    [Fact]
    public void MptcpWholeOrNotAtAll()
    {
        var host = new FakeHost();
        var scene = new ServerScene(host);
        (FakeTcp[] whole, FakeTcp[] partly) = scene.AddMptcp(scene.Worker);
        ConnectionList candidates = host.Candidates([.. whole, partly[0], scene.One]);
        Assert.Equal(["Idle", "Idle", "SubflowBusy", "Idle"], Apply(new MptcpFilter(new SocketDump()), candidates));
        Assert.Empty(_sink.Problems);
        Assert.Equal(0, host.AllLeftOpen);
    }

    /// <summary>Without subflows there is nothing to ask the kernel.</summary>
    [Fact]
    public void WithoutMptcpNothingIsAsked()
    {
        var host = new FakeHost();
        var scene = new ServerScene(host);
        Assert.Equal(["Idle"], Apply(new MptcpFilter(new SocketDump()), host.Candidates(scene.One)));
        Assert.Empty(host.Faults.Calls);
    }

    /// <summary>Where the other subflows cannot be listed, none of them is closed.</summary>
    [Fact]
    public void SubflowsThatCannotBeListed()
    {
        var host = new FakeHost();
        var scene = new ServerScene(host);
        (FakeTcp[] whole, _) = scene.AddMptcp(scene.Worker);
        ConnectionList candidates = host.Candidates([.. whole, scene.One]);
        host.Faults.Errno = static (call, _) => call == "send" ? Errno.ENOMEM : 0;
        Assert.Equal(["Failed", "Failed", "Idle"], Apply(new MptcpFilter(new SocketDump()), candidates));
        Assert.Equal([(Operation.ListSockets, Errno.ENOMEM, null)], _sink.Problems);
        Assert.Equal(Errno.ENOMEM, candidates[0].Errno);
    }

    /// <summary>A subflow without an inode is of no connection that could be closed whole; it is destroyed alone.</summary>
    [Fact]
    public void ASubflowThatWasLetGoOf()
    {
        var host = new FakeHost();
        var scene = new ServerScene(host);
        (FakeTcp[] whole, FakeTcp[] partly) = scene.AddMptcp(scene.Worker);
        foreach (FakeTcp subflow in (FakeTcp[])[whole[0], whole[1], partly[0], partly[1]])
        {
            subflow.Dumped = subflow.Dumped with { Inode = 0 };
        }

        Assert.Equal(["Idle"], Apply(new MptcpFilter(new SocketDump()), host.Candidates(whole[0])));
        Assert.Empty(host.Faults.Calls);
    }

    [Fact]
    public void AStopBeforeTheSubflowsAreListed()
    {
        var host = new FakeHost();
        var scene = new ServerScene(host);
        (FakeTcp[] whole, _) = scene.AddMptcp(scene.Worker);
        Apply(new MptcpFilter(new SocketDump()), host.Candidates(whole[0]), static () => true);
        Assert.Empty(host.Faults.Calls);
    }

    private static FakeKernel Routes(string? destination) => new((sent, _) => sent[16] == Socket.AF_INET6
        ? [Answer.Of(Netlink.DoneMessage())]
        : [Answer.Of(Netlink.Route(LocalRoute, destination, (byte)(destination is null ? 0 : 32)), Netlink.DoneMessage())]);

    private string[] Apply(ICandidateFilter filter, ConnectionList candidates, Func<bool>? stop = null)
    {
        _sink = new RecordingSink(candidates);
        filter.Apply(candidates, _sink, stop ?? (static () => false));
        return [.. Enumerable.Range(0, candidates.Count).Select(i => candidates[i].Outcome.ToString())];
    }
}
