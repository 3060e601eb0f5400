namespace TcpCloser.Tests.Kill;

/// <summary>SOCK_DESTROY against a kernel that refuses requests and loses answers.</summary>
public sealed class SockDestroyerTests : StepTestBase
{
    [Fact]
    public void Request_IPv6Connection_HasTheExactBytes()
    {
        var kernel = FakeKernel.Answering();
        Connection connection = Connections.Of("fe80::1:22 fe80::2:51422");
        connection.Interface = 3;

        Close(Connections.List(kernel, connection));

        Field.AssertAre(
            kernel.Sent[0],
            new("nlmsg_len", "48 00 00 00"),
            new("nlmsg_type SOCK_DESTROY", "15 00"),
            new("nlmsg_flags REQUEST: no ACK, no DUMP", "01 00"),
            new("nlmsg_seq", "01 00 00 00"),
            new("nlmsg_pid", "00 00 00 00"),
            new("sdiag_family AF_INET6", "0a"),
            new("sdiag_protocol IPPROTO_TCP", "06"),
            new("idiag_ext", "00"),
            new("pad", "00"),
            new("idiag_states all", "ff ff ff ff"),
            new("idiag_sport", "00 16"),
            new("idiag_dport", "c8 de"),
            new("idiag_src", "fe800000 00000000 00000000 00000001"),
            new("idiag_dst", "fe800000 00000000 00000000 00000002"),
            new("idiag_if", "03 00 00 00"),
            new("idiag_cookie[0] low", "88 77 66 55"),
            new("idiag_cookie[1] high", "44 33 22 11"));
    }

    [Theory]
    [Values(1, 256, 257, 1_000, 5_000)]
    public void Destroy_ManyConnections_SendsEachCookieOnceAndAtMost256AtATime(int count)
    {
        var kernel = FakeKernel.Answering();
        ConnectionList candidates = Connections.Many(count, kernel);
        Close(candidates);
        List<ulong> cookies = [];
        foreach (byte[] sent in kernel.Sent)
        {
            List<DestroyRequest> requests = DestroyRequest.In(sent);
            Assert.InRange(requests.Count, 1, 256);
            Assert.Equal(requests.Count, requests.Select(static request => request.Sequence).Distinct().Count());
            cookies.AddRange(requests.Select(static request => request.Cookie));
        }

        Assert.Equal(Enumerable.Range(0, count).Select(i => 0xa000_0000_b000_0000 + (ulong)i), cookies.Order());
        AssertAll(candidates, Outcome.Destroyed);
        Assert.Empty(Sink.Problems);
        Assert.Equal(0, kernel.LeftOpen);
    }

    [Fact]
    public void Destroy_MixedAnswers_EachConnectionHasItsOwn()
    {
        var kernel = new FakeKernel(static (sent, _) => DestroyRequest.In(sent)
            .Where(static request => request.DestinationPort % 3 != 0)
            .Select(static request => Answer.Of(Netlink.ErrorMessage(request.DestinationPort % 3 == 1 ? Errno.ENOENT : Errno.EBUSY, request.Sequence))));
        ConnectionList candidates = Connections.Many(700, kernel);
        (Outcome, int)[] expected = [(Outcome.Destroyed, 0), (Outcome.Vanished, Errno.ENOENT), (Outcome.Failed, Errno.EBUSY)];
        Close(candidates);
        Assert.All(Enumerable.Range(0, 700), i => Assert.Equal(expected[candidates[i].DestinationPort % 3], (candidates[i].Outcome, candidates[i].Errno)));
        Assert.False(Sink.IsNotPossible);
    }

    [Fact]
    public void Destroy_AllVanished_ReportsNoProblem()
    {
        FakeKernel kernel = Refusing(Errno.ENOENT);
        ConnectionList candidates = Connections.Many(300, kernel);
        Close(candidates);
        AssertAll(candidates, Outcome.Vanished);
        Assert.Empty(Sink.Problems);
    }

    [Theory]
    [Rows("EPERM | null", "EOPNOTSUPP | CONFIG_INET_DIAG_DESTROY", "EINVAL | CONFIG_INET_DIAG_DESTROY")]
    public void Destroy_RefusedForAll_IsTriedOnceAndReportedOnce(int errno, string? remedy)
    {
        FakeKernel kernel = Refusing(errno);
        ConnectionList candidates = Connections.Many(5_000, kernel);
        Close(candidates);
        Assert.Single(kernel.Sent, DestroyRequest.IsDestroy);
        AssertAll(candidates, Outcome.Failed);
        Assert.All(Enumerable.Range(0, candidates.Count), i => Assert.Equal(errno, candidates[i].Errno));

        // Root needs no advice to become root.
        remedy ??= Capability.IsEffective(Capability.CAP_NET_ADMIN) ? "user namespace" : "CAP_NET_ADMIN";
        Assert.Contains(remedy, Assert.Single(Sink.Descriptions), StringComparison.Ordinal);
        Assert.True(Sink.IsNotPossible);
    }

    /// <summary>An unprivileged caller gets ENOENT for connections that are gone and EPERM for the rest: neither hides the other.</summary>
    [Fact]
    public void Destroy_RefusedForOneAmongVanished_IsNotPossible()
    {
        var kernel = new FakeKernel(static (sent, _) => DestroyRequest.In(sent).Select(static request =>
            Answer.Of(Netlink.ErrorMessage(request.DestinationPort == 5 ? Errno.EPERM : Errno.ENOENT, request.Sequence))));
        ConnectionList candidates = Connections.Many(20, kernel);
        Close(candidates);
        Assert.Equal(["Failed", "Vanished"], candidates.Outcomes()[4..6]);
        Assert.True(Sink.IsNotPossible);
    }

    [Fact]
    public void Destroy_TimeWaitRefused_DoesNotMeanNotPossible()
    {
        var kernel = Refusing(Errno.EOPNOTSUPP);
        ConnectionList candidates = Connections.Many(600, kernel, TcpState.TimeWait);
        Close(candidates);
        Assert.Equal(3, kernel.Sent.Count);
        AssertAll(candidates, Outcome.Failed);
        Assert.False(Sink.IsNotPossible);
        Assert.Empty(Sink.Problems);
    }

    /// <summary>
    /// Before Linux 6.0 the answer for a connection that has reached TIME_WAIT, or FIN_WAIT2 without a holder, is EOPNOTSUPP. The
    /// connection is gone for its holder, and the answer shows nothing about the others.
    /// </summary>
    [Theory]
    [Values(TcpState.TimeWait, TcpState.FinWait2)]
    public void Destroy_ConnectionWoundDownBeforeLinux6_IsVanishedAndTheRestIsDestroyed(byte state)
    {
        Host.IsBefore6 = true;
        for (uint i = 0; i < 600; i++)
        {
            Add();
        }

        ConnectionList candidates = Host.Candidates();
        Host.Sockets[0].Dumped = Host.Sockets[0].Dumped with { State = state, Inode = 0 };
        Close(candidates);
        Assert.Equal(["Vanished", .. Enumerable.Repeat("Destroyed", 599)], candidates.Outcomes());
        Assert.Empty(Sink.Problems);
    }

    /// <summary>An orphan that was in FIN_WAIT2 from the start is a candidate that cannot be destroyed.</summary>
    [Fact]
    public void Destroy_OrphanInFinWait2BeforeLinux6_FailsAloneAndTheRestIsDestroyed()
    {
        Host.IsBefore6 = true;
        FakeTcp orphan = Add();
        orphan.Dumped = orphan.Dumped with { Inode = 0, State = TcpState.FinWait2 };
        Add();
        ConnectionList candidates = Host.Candidates();
        Close(candidates);
        Assert.Equal(["Failed", "Destroyed"], candidates.Outcomes());
        Assert.Equal(Errno.EOPNOTSUPP, candidates[0].Errno);
        Assert.Empty(Sink.Problems);
    }

    /// <summary>A missing privilege concerns one network namespace: this process may have it in another.</summary>
    [Fact]
    public void Destroy_RefusedInOneNamespace_IsTriedInTheNext()
    {
        FakeKernel foreign = Refusing(Errno.EPERM);
        var own = FakeKernel.Answering();
        var candidates = new ConnectionList();
        foreach (FakeKernel kernel in (FakeKernel[])[foreign, own])
        {
            candidates.Begin(new FakeNamespace(kernel));
            candidates.Add(Connections.Of("10.0.0.1:22 10.0.0.2:1"));
        }

        Close(candidates);
        Assert.Equal([Outcome.Failed, Outcome.Destroyed], [candidates[0].Outcome, candidates[1].Outcome]);
        Assert.Equal([(Operation.DestroySocket, Errno.EPERM, null)], Sink.Problems);
    }

    /// <summary>A system call filter may fail the call with any errno: ENOENT does not mean that the connection is gone.</summary>
    [Theory]
    [Rows("ENOBUFS | ENOBUFS | 2 | false", "EPERM | EPERM | 1 | true", "ENOENT | EIO | 2 | false")]
    public void Destroy_SendFails_DestroysNothing(int errno, int reported, int sends, bool isNotPossible)
    {
        var kernel = new FakeKernel(static (_, _) => []) { SendErrno = _ => errno };
        ConnectionList candidates = Connections.Many(400, kernel);
        Close(candidates);
        AssertAll(candidates, Outcome.Failed);
        Assert.Equal(reported, candidates[0].Errno);
        Assert.Equal(sends, kernel.Sent.Count);
        Assert.Equal(isNotPossible ? 1 : 0, Sink.Problems.Count);
        Assert.Equal(isNotPossible, Sink.IsNotPossible);
    }

    [Fact]
    public void Destroy_StopRequested_EndsBetweenBatches()
    {
        var kernel = FakeKernel.Answering();
        ConnectionList candidates = Connections.Many(511, kernel);
        Close(candidates, () => kernel.Sent.Count > 0);
        Assert.Equal(256, kernel.Sent.Sum(static sent => DestroyRequest.In(sent).Count));
        Assert.Equal([("Destroyed", 256), ("NotReached", 255)], candidates.Outcomes().CountBy(static outcome => outcome).Select(static pair => (pair.Key, pair.Value)));
        Assert.Empty(Sink.Problems);
    }

    internal static FakeKernel Refusing(int errno) => new((sent, _) => DestroyRequest.IsDestroy(sent)
        ? DestroyRequest.In(sent).Select(request => Answer.Of(Netlink.ErrorMessage(errno, request.Sequence)))
        : [Answer.Of(new DumpedSocket { Cookie = new DestroyRequest(sent).Cookie }.Message(Netlink.Socket))]);

    private void Close(ConnectionList candidates, Func<bool>? stop = null)
    {
        Run(new SockDestroyer(leavesUnsupported: false), candidates, stop);
        Sink.AssertAllReported();
    }

    private static void AssertAll(ConnectionList candidates, Outcome outcome) =>
        Assert.All(candidates.Outcomes(), actual => Assert.Equal(outcome.ToString(), actual));
}
