namespace TcpCloser.Tests.Kill;

/// <summary>SOCK_DESTROY against a kernel that refuses requests and loses answers.</summary>
public sealed class SockDestroyerTests
{
    private RecordingSink _sink = new(new ConnectionList());

    [Fact]
    public void Request_IPv6Connection_HasTheExactBytes()
    {
        var kernel = new FakeKernel(static (_, _) => []);
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
        var kernel = new FakeKernel(static (_, _) => []);
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
        Assert.Empty(_sink.Problems);
        Assert.Equal(0, kernel.LeftOpen);
    }

    [Fact]
    public void Destroy_MixedAnswers_EachConnectionHasItsOwn()
    {
        var kernel = new FakeKernel(static (sent, _) => DestroyRequest.In(sent)
            .Where(static request => request.DestinationPort % 3 != 0)
            .Select(static request => Answer.Of(Netlink.ErrorMessage(request.DestinationPort % 3 == 1 ? Errno.ENOENT : Errno.EBUSY, request.Sequence))));
        ConnectionList candidates = Connections.Many(700, kernel);

        Close(candidates);

        for (int i = 0; i < candidates.Count; i++)
        {
            int rest = candidates[i].DestinationPort % 3;
            Assert.Equal(rest == 0 ? Outcome.Destroyed : rest == 1 ? Outcome.Vanished : Outcome.Failed, candidates[i].Outcome);
            Assert.Equal(rest == 0 ? 0 : rest == 1 ? Errno.ENOENT : Errno.EBUSY, candidates[i].Errno);
        }

        Assert.False(_sink.IsNotPossible);
    }

    [Fact]
    public void Destroy_AllVanished_ReportsNoProblem()
    {
        FakeKernel kernel = Refusing(Errno.ENOENT);
        ConnectionList candidates = Connections.Many(300, kernel);
        Close(candidates);
        AssertAll(candidates, Outcome.Vanished);
        Assert.Empty(_sink.Problems);
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
        for (int i = 0; i < candidates.Count; i++)
        {
            Assert.Equal(errno, candidates[i].Errno);
        }

        // Root needs no advice to become root.
        remedy ??= Capability.IsEffective(Capability.CAP_NET_ADMIN) ? "user namespace" : "CAP_NET_ADMIN";
        Assert.Contains(remedy, Assert.Single(_sink.Descriptions), StringComparison.Ordinal);
        Assert.True(_sink.IsNotPossible);
    }

    /// <summary>An unprivileged caller gets ENOENT for connections that are gone and EPERM for the rest: neither hides the other.</summary>
    [Fact]
    public void Destroy_RefusedForOneAmongVanished_IsNotPossible()
    {
        var kernel = new FakeKernel(static (sent, _) => DestroyRequest.In(sent).Select(static request =>
            Answer.Of(Netlink.ErrorMessage(request.DestinationPort == 5 ? Errno.EPERM : Errno.ENOENT, request.Sequence))));
        ConnectionList candidates = Connections.Many(20, kernel);

        Close(candidates);

        Assert.Equal(Outcome.Failed, candidates[4].Outcome);
        Assert.Equal(Outcome.Vanished, candidates[5].Outcome);
        Assert.True(_sink.IsNotPossible);
    }

    [Fact]
    public void Destroy_TimeWaitRefused_DoesNotMeanNotPossible()
    {
        var kernel = Refusing(Errno.EOPNOTSUPP);
        ConnectionList candidates = Connections.Many(600, kernel, TcpState.TimeWait);

        Close(candidates);

        Assert.Equal(3, kernel.Sent.Count);
        AssertAll(candidates, Outcome.Failed);
        Assert.False(_sink.IsNotPossible);
        Assert.Empty(_sink.Problems);
    }

    /// <summary>
    /// Before Linux 6.0 the answer for a connection that has reached TIME_WAIT, or FIN_WAIT2 without a holder, is EOPNOTSUPP. The
    /// connection is gone for its holder, and the answer shows nothing about the others.
    /// </summary>
    [Theory]
    [Values(TcpState.TimeWait, TcpState.FinWait2)]
    public void Destroy_ConnectionWoundDownBeforeLinux6_IsVanishedAndTheRestIsDestroyed(byte state)
    {
        var host = new FakeHost { IsBefore6 = true };
        for (uint i = 0; i < 600; i++)
        {
            host.Add(new FakeTcp(new DumpedSocket { Inode = 500 + i, Cookie = 9_000 + i, DestinationPort = (ushort)(1 + i) }));
        }

        ConnectionList candidates = host.Candidates();
        host.Sockets[0].Dumped = host.Sockets[0].Dumped with { State = state, Inode = 0 };
        Close(candidates);

        Assert.Equal(Outcome.Vanished, candidates[0].Outcome);
        Assert.Equal(599, Enumerable.Range(0, 600).Count(i => candidates[i].Outcome == Outcome.Destroyed));
        Assert.Empty(_sink.Problems);
    }

    /// <summary>An orphan that was in FIN_WAIT2 from the start is a candidate that cannot be destroyed.</summary>
    [Fact]
    public void Destroy_OrphanInFinWait2BeforeLinux6_FailsAloneAndTheRestIsDestroyed()
    {
        var host = new FakeHost { IsBefore6 = true };
        host.Add(new FakeTcp(new DumpedSocket { Inode = 0, State = TcpState.FinWait2, DestinationPort = 1 }));
        host.Add(new FakeTcp(new DumpedSocket { DestinationPort = 2, Cookie = 5 }));
        ConnectionList candidates = host.Candidates();
        Close(candidates);

        Assert.Equal((Outcome.Failed, Errno.EOPNOTSUPP), (candidates[0].Outcome, candidates[0].Errno));
        Assert.Equal(Outcome.Destroyed, candidates[1].Outcome);
        Assert.Empty(_sink.Problems);
    }

    /// <summary>A missing privilege concerns one network namespace: this process may have it in another.</summary>
    [Fact]
    public void Destroy_RefusedInOneNamespace_IsTriedInTheNext()
    {
        FakeKernel foreign = Refusing(Errno.EPERM);
        var own = new FakeKernel(static (_, _) => []);
        var candidates = new ConnectionList();
        foreach (FakeKernel kernel in (FakeKernel[])[foreign, own])
        {
            candidates.Begin(new FakeNamespace(kernel));
            candidates.Add(Connections.Of("10.0.0.1:22 10.0.0.2:1"));
        }

        Close(candidates);
        Assert.Equal([Outcome.Failed, Outcome.Destroyed], [candidates[0].Outcome, candidates[1].Outcome]);
        Assert.Equal([(Operation.DestroySocket, Errno.EPERM, null)], _sink.Problems);
    }

    [Theory]
    [Rows("ENOBUFS | false", "EPERM | true")]
    public void Destroy_SendFails_DestroysNothing(int errno, bool isNotPossible)
    {
        var kernel = new FakeKernel(static (_, _) => []) { SendErrno = _ => errno };
        ConnectionList candidates = Connections.Many(400, kernel);

        Close(candidates);

        AssertAll(candidates, Outcome.Failed);
        Assert.Equal(errno, candidates[0].Errno);
        Assert.Equal(errno == Errno.EPERM ? 1 : 2, kernel.Sent.Count);
        Assert.Equal(isNotPossible ? 1 : 0, _sink.Problems.Count);
        Assert.Equal(isNotPossible, _sink.IsNotPossible);
    }

    /// <summary>
    /// A system call filter may fail the call with any errno: ENOENT of the call does not mean that the connection is gone.
    /// </summary>
    [Fact]
    public void Destroy_SendFailsWithEnoent_IsFailed()
    {
        ConnectionList candidates = Connections.Many(1, new FakeKernel(static (_, _) => []) { SendErrno = static _ => Errno.ENOENT });
        Close(candidates);
        AssertAll(candidates, Outcome.Failed);
    }

    [Fact]
    public void Destroy_StopRequested_EndsBetweenBatches()
    {
        var kernel = new FakeKernel(static (_, _) => []);
        ConnectionList candidates = Connections.Many(511, kernel);

        Run(candidates, () => kernel.Sent.Count > 0);

        int reached = kernel.Sent.Sum(static sent => DestroyRequest.In(sent).Count);
        Assert.Equal(256, reached);
        var outcomes = Enumerable.Range(0, candidates.Count).CountBy(i => candidates[i].Outcome).ToDictionary();
        Assert.Equal(reached, outcomes[Outcome.Destroyed]);
        Assert.Equal(candidates.Count - reached, outcomes[Outcome.NotReached]);
        _sink.AssertAllReported();
        Assert.Empty(_sink.Problems);
    }

    /// <summary>A kernel that refuses every destroy, and lists all of the connections.</summary>
    private static FakeKernel Refusing(int errno) => new((sent, _) => DestroyRequest.IsDestroy(sent)
        ? DestroyRequest.In(sent).Select(request => Answer.Of(Netlink.ErrorMessage(errno, request.Sequence)))
        : [Answer.Of(new DumpedSocket { Cookie = new DestroyRequest(sent).Cookie }.Message(Netlink.Socket))]);

    private void Close(ConnectionList candidates)
    {
        Run(candidates, static () => false);
        _sink.AssertAllReported();
    }

    private void Run(ConnectionList candidates, Func<bool> stopRequested)
    {
        _sink = new RecordingSink(candidates);
        new SockDestroyer(leavesUnsupported: false).Run(candidates, Contexts.Of(_sink, stopRequested));
    }

    private static void AssertAll(ConnectionList candidates, Outcome outcome)
    {
        for (int i = 0; i < candidates.Count; i++)
        {
            Assert.Equal(outcome, candidates[i].Outcome);
        }
    }
}
