namespace TcpCloser.Tests.Kill;

/// <summary>Answers to SOCK_DESTROY that are lost, malformed, false, meant for another socket, or left to another method.</summary>
public sealed class DestroyAnswerTests : StepTestBase
{
    [Fact]
    public void Destroy_AnswersLost_LooksTheConnectionsUp()
    {
        // Ports 1 and 2 answered, the answers for 3 and 4 were lost: 3 is still there, 4 is gone.
        FakeKernel kernel = Kernel(
            3, Answer.Of(Netlink.ErrorMessage(Errno.EBUSY, 1)), Answer.Failing(Errno.ENOBUFS), Answer.Of(Netlink.ErrorMessage(Errno.ENOENT, 2)));
        ConnectionList candidates = Close(kernel, 4);
        Assert.Equal(["Failed", "Vanished", "Failed", "Destroyed"], candidates.Outcomes());
        Assert.Equal([Errno.EBUSY, Errno.ENOENT, Errno.ENOBUFS, 0], Enumerable.Range(0, 4).Select(i => (int)candidates[i].Errno));
        Assert.Equal(3, kernel.Sent.Count);
    }

    /// <summary>A refusal without a valid errno may mean anything: a lookup shows whether the connection is gone.</summary>
    [Fact]
    public void Destroy_RefusalWithoutAnErrno_LooksTheConnectionsUp()
    {
        ConnectionList candidates = Close(Kernel(2, Answer.Of(Netlink.ErrorMessage(-Errno.EPERM, 1)), Answer.Of(Netlink.ErrorMessage(-Errno.EPERM, 2))), 3);
        Assert.Equal(["Destroyed", "Failed", "Destroyed"], candidates.Outcomes());
        Assert.Equal(Errno.EBADMSG, candidates[1].Errno);
    }

    /// <summary>A malformed answer does not overrule an earlier one: a connection that was gone before was not destroyed.</summary>
    [Fact]
    public void Destroy_RefusalWithoutAnErrnoAfterEnoent_IsStillVanished() => Assert.Equal(["Vanished", "Destroyed"],
        Close(Kernel(0, Answer.Of(Netlink.ErrorMessage(Errno.ENOENT, 1)), Answer.Of(Netlink.ErrorMessage(-Errno.EPERM, 1))), 2).Outcomes());

    /// <summary>What became of the connections is unknown, so none counts as destroyed.</summary>
    [Fact]
    public void Destroy_AnswersLostAndLookupsFail_IsUnknown()
    {
        var kernel = new FakeKernel(static (sent, _) => [Answer.Failing(DestroyRequest.IsDestroy(sent) ? Errno.ENOBUFS : Errno.ENOMEM)]);
        Assert.Equal(["Unknown", "Unknown", "Unknown"], Close(kernel, 3).Outcomes());
        Assert.Equal(0, kernel.LeftOpen);
    }

    [Fact]
    public void Destroy_AnswersOfOthersOrForOthers_AreIgnored() => Assert.Equal(["Destroyed", "Destroyed", "Destroyed"], Close(FakeKernel.Answering(
        Answer.Of(Netlink.ErrorMessage(Errno.EPERM, 1)) with { Sender = 4711 },
        Answer.Of(Netlink.ErrorMessage(Errno.EPERM, 0xdeadbeef)),
        Answer.Of(Netlink.ErrorMessage(Errno.EPERM, 4)),
        Answer.Of(Netlink.Message(Netlink.Socket, BitConverter.GetBytes(-Errno.EPERM), sequence: 1)),
        new Answer([1, 2, 3], Sender: 4711),
        new Answer([])), 3).Outcomes());

    /// <summary>If the kernel cannot destroy sockets, or not for this user, the connections are left to the fallback, unreported.</summary>
    [Theory]
    [Values(Errno.EOPNOTSUPP, Errno.EINVAL, Errno.EPERM)]
    public void Destroy_RefusedForAll_IsLeftToTheFallback(int errno)
    {
        FakeKernel kernel = SockDestroyerTests.Refusing(errno);
        ConnectionList candidates = Connections.Many(600, kernel);
        candidates[3].Inode = 0; // has no holder to fetch it from
        var destroyer = new SockDestroyer(leavesUnsupported: true);
        Assert.Equal(Enumerable.Range(0, 600).Select(static i => i == 3 ? "Failed" : "Pending"), Run(destroyer, candidates));
        Assert.Equal((errno, errno), (candidates[3].Errno, destroyer.Refusal.Errno));
        Assert.Empty(Sink.Problems);
        Assert.Single(kernel.Sent, DestroyRequest.IsDestroy);
    }

    [Theory]
    [Rows("true | Pending", "false | Mptcp")]
    public void Destroy_MptcpSubflow_IsLeftToTheFallbackOrFailed(bool leavesUnsupported, string outcome)
    {
        var kernel = FakeKernel.Answering();
        ConnectionList candidates = Connections.Many(3, kernel);
        candidates[1].IsMptcp = true;
        Assert.Equal(["Destroyed", outcome, "Destroyed"], Run(new SockDestroyer(leavesUnsupported), candidates));
        Assert.Equal([2, 2], DestroyRequest.In(kernel.Sent[0]).Select(static request => (int)request.Bytes[16]));
    }

    /// <summary>An old kernel answers falsely that it destroyed an orphan in FIN_WAIT1, CLOSING or LAST_ACK.</summary>
    [Theory]
    [Rows("FinWait1 | 0 | 0 | StillThere", "Closing | 0 | 0 | StillThere", "LastAck | 0 | 0 | StillThere", "FinWait1 | 0 | EBUSY | Failed",
        "FinWait1 | 500 | 0 | Destroyed", "FinWait2 | 0 | 0 | Destroyed", "Established | 0 | 0 | Destroyed")]
    public void Destroy_SocketStaysThere_IsLookedUpOnlyIfItIsAClosingOrphanWithoutARefusal(byte state, uint inode, int refusal, string outcome)
    {
        var socket = new DumpedSocket { State = state, Inode = inode };
        var kernel = new FakeKernel((sent, _) => !DestroyRequest.IsDestroy(sent) ? [Answer.Of(socket.Message(Netlink.Socket))]
            : refusal == 0 ? []
            : [Answer.Of(Netlink.ErrorMessage(refusal, DestroyRequest.In(sent)[0].Sequence))]);
        Assert.Equal(outcome, Destroy(kernel, socket));
        Assert.Equal(outcome == "StillThere" ? 2 : 1, kernel.Sent.Count);
    }

    [Fact]
    public void Destroy_ClosingOrphanIsGone_IsDestroyed()
    {
        var socket = new DumpedSocket { State = TcpState.FinWait1, Inode = 0 };
        var kernel = new FakeKernel((sent, _) => DestroyRequest.IsDestroy(sent) ? [] : [Answer.Of(Netlink.ErrorMessage(Errno.ENOENT))]);
        Assert.Equal("Destroyed", Destroy(kernel, socket));
    }

    private string Destroy(FakeKernel kernel, DumpedSocket socket)
    {
        string outcome = Assert.Single(Close(Connections.List(kernel, Host.Candidates(new FakeTcp(socket))[0])).Outcomes());
        Assert.Equal(0, kernel.LeftOpen);
        return outcome;
    }

    /// <summary>A kernel with these answers to a destroy, which then finds only the connection with that port.</summary>
    private static FakeKernel Kernel(byte port, params Answer[] answers) => new((sent, _) => DestroyRequest.IsDestroy(sent) ? answers
        : [Answer.Of(sent[27] == port ? new DumpedSocket { Cookie = 0xa000_0000_b000_0000 + port - 1 }.Message(Netlink.Socket) : Netlink.ErrorMessage(Errno.ENOENT))]);

    private ConnectionList Close(FakeKernel kernel, int count) => Close(Connections.Many(count, kernel));

    private ConnectionList Close(ConnectionList candidates)
    {
        Run(new SockDestroyer(leavesUnsupported: false), candidates);
        Sink.AssertAllReported();
        return candidates;
    }
}
