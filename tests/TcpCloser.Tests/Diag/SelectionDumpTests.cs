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
    [InlineData(null, 0, true)] // this has to be reported
    [Rows("5 | 1 | false", "6 | 0 | false")]
    public void Dump_KernelWithoutCgroupCond_IsRepeatedWithoutIt(ulong? reported, int matched, bool undecided)
    {
        FakeKernel kernel = RefusingFilters(s_socket with { CgroupId = reported });
        Assert.Empty(Run(kernel, Cgroups([5])));
        Assert.Equal(2, kernel.Sent.Count);
        Assert.Equal((matched, undecided), (_collector.Matched, _collector.HasUndecided));
    }

    /// <summary>A kernel that knows the op has decided already, and sockets in TIME_WAIT have neither mark nor cgroup.</summary>
    [Theory]
    [InlineData(6UL, 0)] // if a kernel lists more than was requested, the socket's cgroup decides
    [Rows("5 | 1", "null | 1")]
    public void Dump_KernelWithCgroupCond_DecidesForSocketsWithoutACgroup(ulong? reported, int matched)
    {
        FakeKernel kernel = Listing(s_socket with { CgroupId = reported });
        Assert.NotEmpty(Run(kernel, Cgroups([5])));
        Assert.Single(kernel.Sent);
        Assert.Equal((matched, false), (_collector.Matched, _collector.HasUndecided));
    }

    /// <summary>In a service the refusal occurs only once, and each round requests what its own context has.</summary>
    [Fact]
    public void Dump_NextRound_RepeatsTheRequestUnlessTheContextChanged()
    {
        FakeKernel kernel = RefusingFilters(s_socket with { Mark = null });
        var network = new FakeNamespace(kernel);
        SelectionDump marked = Dump("--mark", "7");
        for (int round = 0; round < 2; round++)
        {
            marked.Run(network, RuleContext.Empty, _collector);
            Assert.True(_collector.HasUndecided);
        }

        Assert.Equal([92, 72, 72], kernel.Sent.Select(static request => request.Length));

        SelectionDump changing = Dump();
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
        Run(Listing(s_socket), Cgroups(Enumerable.Range(1, count)));
        Assert.Equal((kernelDecides ? 1 : 0, !kernelDecides), (_collector.Matched, _collector.HasUndecided));
    }

    /// <summary>The marks fit into the filter and of the cgroups only that there is one; the kernel knows neither op.</summary>
    [Fact]
    public void Dump_FilterWithRoomForSomeIsRefused_IsRepeatedWithoutIt()
    {
        FakeKernel kernel = RefusingFilters(s_socket with { Mark = null });
        Run(kernel, Cgroups(Enumerable.Range(1, 3_000)), "--mark", "7");
        Assert.Equal([108, 72], kernel.Sent.Select(static request => request.Length));
        Assert.Equal((0, true), (_collector.Matched, _collector.HasUndecided));
    }

    /// <summary>Only the filter by mark needs a privilege, and ports and users need no op that old kernels lack.</summary>
    [Theory]
    [Rows("EPERM | --mark | ListSocketsByMark | 1", "EPERM | --uid | ListSockets | 1", "ENOMEM | --mark | ListSockets | 1",
        "EINVAL | --mark | ListSockets | 2", "EINVAL | -d | ListSockets | 1")]
    public void Dump_Refused_NamesTheMarkOnlyForEpermOnAFilterByMark(int errno, string option, object operation, int sent)
    {
        var kernel = FakeKernel.Answering(Answer.Of(Netlink.ErrorMessage(errno)));
        var e = Assert.Throws<SystemCallException>(() => Run(kernel, RuleContext.Empty, option, option == "-d" ? "7,9" : "7"));
        Assert.Equal((operation, errno), (e.Failure.Operation, e.Failure.Errno));
        Assert.Equal(sent, kernel.Sent.Count);
    }

    /// <summary>Sockets that were listed before the failure must not be acted on; those of another namespace stay.</summary>
    [Theory]
    [Values(false, true)]
    public void Dump_NamespaceFails_DropsOnlyItsOwnConnections(bool cannotBeEntered)
    {
        SelectionDump dump = Dump();
        dump.Run(new FakeNamespace(Listing(s_socket)), RuleContext.Empty, _collector);
        DumpedSocket other = s_socket with { Cookie = 7 };
        var kernel = FakeKernel.Answering(Answer.Of(other.Message(20), other.Message(20)), Answer.Failing(Errno.ENOMEM));
        NetworkNamespace failing = cannotBeEntered ? new ClosedNamespace() : new FakeNamespace(kernel);

        var e = Assert.Throws<SystemCallException>(() => dump.Run(failing, RuleContext.Empty, _collector));

        Assert.Equal(cannotBeEntered ? Errno.EPERM : Errno.ENOMEM, e.Failure.Errno);
        Assert.Equal((1, 1), (_collector.Candidates.Count, _collector.Matched));
        Assert.Equal(s_socket.Cookie, _collector.Candidates[0].Cookie);
        Assert.Single(_collector.Candidates.Details);
        Assert.Equal(0, kernel.LeftOpen);
    }

    private static RuleContext Cgroups(IEnumerable<int> ids) => new() { CgroupIds = [.. ids.Select(static id => (ulong)id)] };

    private static FakeKernel Listing(DumpedSocket socket) => FakeKernel.Answering(Answer.Of(socket.Message(20), Netlink.DoneMessage()));

    /// <summary>A kernel that knows none of the ops, and lists this socket.</summary>
    private static FakeKernel RefusingFilters(DumpedSocket socket) => new((request, _) => request.Length == 72
        ? [Answer.Of(socket.Message(20), Netlink.DoneMessage())]
        : [Answer.Of(Netlink.ErrorMessage(Errno.EINVAL))]);

    private static SelectionDump Dump(params string[] words) => new(Words.Select(["-6", "-s", "22", .. words]), new SocketDump());

    private byte[] Run(FakeKernel kernel, RuleContext context, params string[] words) => Dump(words).Run(new FakeNamespace(kernel), context, _collector);

    private sealed class ClosedNamespace : NetworkNamespace
    {
        public override INetlinkSocket OpenSocket() => throw new SystemCallException(new Failure(Operation.EnterNamespace, Errno.EPERM));
    }
}
