using TcpCloser.Diag;
using TcpCloser.Interop;
using TcpCloser.Tests.Support;
using Netlink = TcpCloser.Tests.Support.Netlink;

namespace TcpCloser.Tests.Diag;

/// <summary>What is asked of kernels that know less, and what then decides.</summary>
public sealed class SelectionDumpTests
{
    private static readonly DumpedSocket s_socket = new() { Family = 10, Source = "fd00::1", Destination = "fd00::2" };

    private readonly Collector _collector = new(new IdleRule(Words.Rule("-s", "22")), keepLeftAlone: true, keepDetails: true);

    /// <summary>Before Linux 5.9: then what the kernel tells of each socket decides, and what it does not tell is no match.</summary>
    [Theory]
    [InlineData(5UL, 1, false)]
    [InlineData(6UL, 0, false)]
    [InlineData(null, 0, true)] // that has to be said
    public void AKernelWithoutCgroupCondIsAskedWithoutIt(ulong? told, int matched, bool undecided)
    {
        var kernel = new FakeKernel((request, _) => request.Length == 72
            ? [Answer.Of((s_socket with { CgroupId = told }).Message(20), Netlink.DoneMessage())]
            : [Answer.Of(Netlink.ErrorMessage(Errno.EINVAL))]);
        var dump = new SelectionDump(Words.Select("-6", "-s", "22"), new SocketDump());

        byte[] bytecode = dump.Run(new FakeNamespace(kernel), new RuleContext { CgroupIds = [5] }, _collector);

        Assert.Equal(2, kernel.Sent.Count);
        Assert.Empty(bytecode);
        Assert.Equal(matched, _collector.Matched);
        Assert.Equal(undecided, _collector.HasUndecided);
    }

    /// <summary>A kernel that knows the op has decided, and TIME_WAIT tells neither mark nor cgroup.</summary>
    [Theory]
    [InlineData(5UL, 1)]
    [InlineData(6UL, 0)] // on a kernel that lists what it was not asked for, what the socket tells decides
    [InlineData(null, 1)]
    public void AKernelWithCgroupCondDecidesWhereNothingIsTold(ulong? told, int matched)
    {
        var kernel = FakeKernel.Answering(Answer.Of((s_socket with { CgroupId = told }).Message(20), Netlink.DoneMessage()));
        var dump = new SelectionDump(Words.Select("-6", "-s", "22"), new SocketDump());

        Assert.NotEmpty(dump.Run(new FakeNamespace(kernel), new RuleContext { CgroupIds = [5] }, _collector));

        Assert.Single(kernel.Sent);
        Assert.Equal(matched, _collector.Matched);
        Assert.False(_collector.HasUndecided);
    }

    /// <summary>A service asks again and again: the refusal is met once, and what is set anew for a round is asked for as it is then.</summary>
    [Fact]
    public void TheNextRoundAsksTheSameUnlessTheContextChanged()
    {
        var kernel = new FakeKernel((request, _) => request.Length == 72
            ? [Answer.Of((s_socket with { Mark = null }).Message(20), Netlink.DoneMessage())]
            : [Answer.Of(Netlink.ErrorMessage(Errno.EINVAL))]);
        var network = new FakeNamespace(kernel);
        var marked = new SelectionDump(Words.Select("-6", "-s", "22", "--mark", "7"), new SocketDump());
        for (int round = 0; round < 2; round++)
        {
            marked.Run(network, RuleContext.Empty, _collector);
            Assert.True(_collector.HasUndecided);
        }

        Assert.Equal([92, 72, 72], kernel.Sent.Select(static request => request.Length));

        var changing = new SelectionDump(Words.Select("-6", "-s", "22"), new SocketDump());
        foreach (uint device in new uint[] { 2, 3 })
        {
            Assert.Throws<SystemCallException>(() => changing.Run(network, new RuleContext { Interfaces = [device] }, _collector));
        }

        Assert.Equal([2, 3], kernel.Sent.Skip(3).Select(static request => request[80]));
    }

    /// <summary>What has no room in the filter is not the kernel's decision, whatever the kernel knows.</summary>
    [Theory]
    [InlineData(3_000, true)]
    [InlineData(3_001, false)]
    public void MoreCgroupsThanTheFilterHoldsAreDecidedHere(int count, bool kernelDecides)
    {
        var context = new RuleContext { CgroupIds = [.. Enumerable.Range(1, count).Select(static id => (ulong)id)] };
        var kernel = FakeKernel.Answering(Answer.Of(s_socket.Message(20), Netlink.DoneMessage()));

        new SelectionDump(Words.Select("-6", "-s", "22"), new SocketDump()).Run(new FakeNamespace(kernel), context, _collector);

        Assert.Equal(kernelDecides ? 1 : 0, _collector.Matched);
        Assert.Equal(!kernelDecides, _collector.HasUndecided);
    }

    /// <summary>The marks have room, the cgroups besides have not; the kernel knows neither op.</summary>
    [Fact]
    public void ARefusalIsMetAlsoWhereNotAllHaveRoom()
    {
        var kernel = new FakeKernel((request, _) => request.Length == 72
            ? [Answer.Of((s_socket with { Mark = null }).Message(20), Netlink.DoneMessage())]
            : [Answer.Of(Netlink.ErrorMessage(Errno.EINVAL))]);
        var context = new RuleContext { CgroupIds = [.. Enumerable.Range(1, 3_000).Select(static id => (ulong)id)] };

        new SelectionDump(Words.Select("-6", "-s", "22", "--mark", "7"), new SocketDump()).Run(new FakeNamespace(kernel), context, _collector);

        Assert.Equal([92, 72], kernel.Sent.Select(static request => request.Length));
        Assert.Equal(0, _collector.Matched);
        Assert.True(_collector.HasUndecided);
    }

    /// <summary>Ports need no op that an old kernel lacks.</summary>
    [Fact]
    public void AKernelThatRefusesPortsIsAnError()
    {
        var kernel = FakeKernel.Answering(Answer.Of(Netlink.ErrorMessage(Errno.EINVAL)));
        var dump = new SelectionDump(Words.Select("-6", "-s", "22,80"), new SocketDump());
        var e = Assert.Throws<SystemCallException>(() => dump.Run(new FakeNamespace(kernel), RuleContext.Empty, _collector));
        Assert.Equal((Operation.ListSockets, Errno.EINVAL), (e.Operation, e.Errno));
        Assert.Single(kernel.Sent);
    }

    [Theory]
    [InlineData(Errno.EPERM, "--mark", Operation.ListSocketsByMark)]
    [InlineData(Errno.EPERM, "--uid", Operation.ListSockets)]
    [InlineData(Errno.ENOMEM, "--mark", Operation.ListSockets)]
    [InlineData(Errno.EINVAL, "--mark", Operation.ListSockets)]
    public void WhatTheRefusalOfAFilterByMarkIsCalled(int errno, string option, object operation)
    {
        var kernel = FakeKernel.Answering(Answer.Of(Netlink.ErrorMessage(errno)));
        var dump = new SelectionDump(Words.Select("-6", "-s", "22", option, "7"), new SocketDump());
        var e = Assert.Throws<SystemCallException>(() => dump.Run(new FakeNamespace(kernel), RuleContext.Empty, _collector));
        Assert.Equal((operation, errno), (e.Operation, e.Errno));
        Assert.Equal(errno == Errno.EINVAL ? 2 : 1, kernel.Sent.Count);
    }

    /// <summary>What came before the failure is not to be acted on; what another namespace brought stays.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void WhereANamespaceFailsNothingOfItIsTaken(bool cannotBeEntered)
    {
        var dump = new SelectionDump(Words.Select("-6", "-s", "22"), new SocketDump());
        dump.Run(new FakeNamespace(FakeKernel.Answering(Answer.Of(s_socket.Message(20), Netlink.DoneMessage()))), RuleContext.Empty, _collector);
        DumpedSocket other = s_socket with { Cookie = 7 };
        var kernel = FakeKernel.Answering(Answer.Of(other.Message(20), other.Message(20)), Answer.Failing(Errno.ENOMEM));
        NetworkNamespace failing = cannotBeEntered ? new ClosedNamespace() : new FakeNamespace(kernel);

        var e = Assert.Throws<SystemCallException>(() => dump.Run(failing, RuleContext.Empty, _collector));

        Assert.Equal(cannotBeEntered ? Errno.EPERM : Errno.ENOMEM, e.Errno);
        Assert.Equal(1, _collector.Candidates.Count);
        Assert.Equal(s_socket.Cookie, _collector.Candidates[0].Cookie);
        Assert.Single(_collector.Candidates.Details);
        Assert.Equal(1, _collector.Matched);
        Assert.Equal(0, kernel.LeftOpen);
    }

    private sealed class ClosedNamespace : NetworkNamespace
    {
        public override INetlinkSocket OpenSocket() => throw new SystemCallException(Operation.EnterNamespace, Errno.EPERM);
    }
}
