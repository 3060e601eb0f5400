namespace TcpCloser.Tests.Diag;

/// <summary>What is requested from kernels with fewer filter ops, and what decides then.</summary>
public sealed class SelectionDumpTests
{
    private static readonly DumpedSocket s_socket = new() { Family = 10, Source = "fd00::1", Destination = "fd00::2" };

    private readonly Collector _collector = new(new IdleRule(Words.Rule("-s", "22")), keepLeftAlone: true, DetailLevel.TcpInfo);

    /// <summary>
    /// Before Linux 5.9 the cgroup that the kernel reports for each socket decides, and a socket without one does not match.
    /// </summary>
    [Theory]
    [InlineData(5UL, 1, false)]
    [InlineData(6UL, 0, false)]
    [InlineData(null, 0, true)] // this has to be reported
    public void Dump_KernelWithoutCgroupCond_IsRepeatedWithoutIt(ulong? reported, int matched, bool undecided)
    {
        var kernel = new FakeKernel((request, _) => request.Length == 72
            ? [Answer.Of((s_socket with { CgroupId = reported }).Message(20), Netlink.DoneMessage())]
            : [Answer.Of(Netlink.ErrorMessage(Errno.EINVAL))]);
        var dump = new SelectionDump(Words.Select("-6", "-s", "22"), new SocketDump());

        byte[] bytecode = dump.Run(new FakeNamespace(kernel), new RuleContext { CgroupIds = [5] }, _collector);

        Assert.Equal(2, kernel.Sent.Count);
        Assert.Empty(bytecode);
        Assert.Equal(matched, _collector.Matched);
        Assert.Equal(undecided, _collector.HasUndecided);
    }

    /// <summary>A kernel that knows the op has decided already, and sockets in TIME_WAIT have neither mark nor cgroup.</summary>
    [Theory]
    [InlineData(5UL, 1)]
    [InlineData(6UL, 0)] // if a kernel lists more than was requested, the socket's cgroup decides
    [InlineData(null, 1)]
    public void Dump_KernelWithCgroupCond_DecidesForSocketsWithoutACgroup(ulong? reported, int matched)
    {
        var kernel = FakeKernel.Answering(Answer.Of((s_socket with { CgroupId = reported }).Message(20), Netlink.DoneMessage()));
        var dump = new SelectionDump(Words.Select("-6", "-s", "22"), new SocketDump());

        Assert.NotEmpty(dump.Run(new FakeNamespace(kernel), new RuleContext { CgroupIds = [5] }, _collector));

        Assert.Single(kernel.Sent);
        Assert.Equal(matched, _collector.Matched);
        Assert.False(_collector.HasUndecided);
    }

    /// <summary>In a service the refusal occurs only once, and each round requests what its own context has.</summary>
    [Fact]
    public void Dump_NextRound_RepeatsTheRequestUnlessTheContextChanged()
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

    /// <summary>The kernel does not decide what does not fit into the filter, whichever ops it knows.</summary>
    [Theory]
    [InlineData(FilterCompiler.MaxCgroups, true)]
    [InlineData(FilterCompiler.MaxCgroups + 1, false)]
    public void Dump_MoreCgroupsThanFit_AreDecidedInUserSpace(int count, bool kernelDecides)
    {
        var context = new RuleContext { CgroupIds = [.. Enumerable.Range(1, count).Select(static id => (ulong)id)] };
        var kernel = FakeKernel.Answering(Answer.Of(s_socket.Message(20), Netlink.DoneMessage()));

        new SelectionDump(Words.Select("-6", "-s", "22"), new SocketDump()).Run(new FakeNamespace(kernel), context, _collector);

        Assert.Equal(kernelDecides ? 1 : 0, _collector.Matched);
        Assert.Equal(!kernelDecides, _collector.HasUndecided);
    }

    /// <summary>The marks fit into the filter and of the cgroups only that there is one; the kernel knows neither op.</summary>
    [Fact]
    public void Dump_FilterWithRoomForSomeIsRefused_IsRepeatedWithoutIt()
    {
        var kernel = new FakeKernel((request, _) => request.Length == 72
            ? [Answer.Of((s_socket with { Mark = null }).Message(20), Netlink.DoneMessage())]
            : [Answer.Of(Netlink.ErrorMessage(Errno.EINVAL))]);
        var context = new RuleContext { CgroupIds = [.. Enumerable.Range(1, 3_000).Select(static id => (ulong)id)] };

        new SelectionDump(Words.Select("-6", "-s", "22", "--mark", "7"), new SocketDump()).Run(new FakeNamespace(kernel), context, _collector);

        Assert.Equal([108, 72], kernel.Sent.Select(static request => request.Length));
        Assert.Equal(0, _collector.Matched);
        Assert.True(_collector.HasUndecided);
    }

    /// <summary>Ports need no op that old kernels lack.</summary>
    [Fact]
    public void Dump_FilterByPortRefused_Throws()
    {
        var kernel = FakeKernel.Answering(Answer.Of(Netlink.ErrorMessage(Errno.EINVAL)));
        var dump = new SelectionDump(Words.Select("-6", "-s", "22,80"), new SocketDump());
        var e = Assert.Throws<SystemCallException>(() => dump.Run(new FakeNamespace(kernel), RuleContext.Empty, _collector));
        Assert.Equal((Operation.ListSockets, Errno.EINVAL), (e.Failure.Operation, e.Failure.Errno));
        Assert.Single(kernel.Sent);
    }

    [Theory]
    [Rows("EPERM | --mark | ListSocketsByMark", "EPERM | --uid | ListSockets", "ENOMEM | --mark | ListSockets",
        "EINVAL | --mark | ListSockets")]
    public void Dump_Refused_NamesTheMarkOnlyForEpermOnAFilterByMark(int errno, string option, object operation)
    {
        var kernel = FakeKernel.Answering(Answer.Of(Netlink.ErrorMessage(errno)));
        var dump = new SelectionDump(Words.Select("-6", "-s", "22", option, "7"), new SocketDump());
        var e = Assert.Throws<SystemCallException>(() => dump.Run(new FakeNamespace(kernel), RuleContext.Empty, _collector));
        Assert.Equal((operation, errno), (e.Failure.Operation, e.Failure.Errno));
        Assert.Equal(errno == Errno.EINVAL ? 2 : 1, kernel.Sent.Count);
    }

    /// <summary>Sockets that were listed before the failure must not be acted on; those of another namespace stay.</summary>
    [Theory]
    [Values(false, true)]
    public void Dump_NamespaceFails_DropsOnlyItsOwnConnections(bool cannotBeEntered)
    {
        var dump = new SelectionDump(Words.Select("-6", "-s", "22"), new SocketDump());
        dump.Run(new FakeNamespace(FakeKernel.Answering(Answer.Of(s_socket.Message(20), Netlink.DoneMessage()))), RuleContext.Empty, _collector);
        DumpedSocket other = s_socket with { Cookie = 7 };
        var kernel = FakeKernel.Answering(Answer.Of(other.Message(20), other.Message(20)), Answer.Failing(Errno.ENOMEM));
        NetworkNamespace failing = cannotBeEntered ? new ClosedNamespace() : new FakeNamespace(kernel);

        var e = Assert.Throws<SystemCallException>(() => dump.Run(failing, RuleContext.Empty, _collector));

        Assert.Equal(cannotBeEntered ? Errno.EPERM : Errno.ENOMEM, e.Failure.Errno);
        Assert.Equal(1, _collector.Candidates.Count);
        Assert.Equal(s_socket.Cookie, _collector.Candidates[0].Cookie);
        Assert.Single(_collector.Candidates.Details);
        Assert.Equal(1, _collector.Matched);
        Assert.Equal(0, kernel.LeftOpen);
    }

    private sealed class ClosedNamespace : NetworkNamespace
    {
        public override INetlinkSocket OpenSocket() => throw new SystemCallException(new Failure(Operation.EnterNamespace, Errno.EPERM));
    }
}
