namespace TcpCloser.Tests.Kill;

/// <summary>Answers to SOCK_DESTROY that are lost, malformed, false, meant for another socket, or left to another method.</summary>
public sealed class DestroyAnswerTests
{
    [Fact]
    public void Destroy_AnswersLost_LooksTheConnectionsUp()
    {
        // Ports 1 and 2 answered, the answers for 3 and 4 were lost: 3 is still there, 4 is gone.
        var kernel = new FakeKernel(static (sent, _) => DestroyRequest.IsDestroy(sent)
            ? [Answer.Of(Netlink.ErrorMessage(Errno.EBUSY, 1)), Answer.Failing(Errno.ENOBUFS), Answer.Of(Netlink.ErrorMessage(Errno.ENOENT, 2))]
            : [Answer.Of(sent[27] == 3 ? new DumpedSocket { Cookie = 0xa000_0000_b000_0002 }.Message(20) : Netlink.ErrorMessage(Errno.ENOENT))]);
        ConnectionList candidates = Connections.Many(4, kernel);

        Close(candidates);

        Assert.Equal([Outcome.Failed, Outcome.Vanished, Outcome.Failed, Outcome.Destroyed], Enumerable.Range(0, 4).Select(i => candidates[i].Outcome));
        Assert.Equal([Errno.EBUSY, Errno.ENOENT, Errno.ENOBUFS, 0], Enumerable.Range(0, 4).Select(i => (int)candidates[i].Errno));
        Assert.Equal(3, kernel.Sent.Count);
    }

    /// <summary>A refusal without a valid errno may mean anything: a lookup shows whether the connection is gone.</summary>
    [Fact]
    public void Destroy_RefusalWithoutAnErrno_LooksTheConnectionsUp()
    {
        var kernel = new FakeKernel(static (sent, _) => DestroyRequest.IsDestroy(sent)
            ? [Answer.Of(Netlink.ErrorMessage(-Errno.EPERM, 1)), Answer.Of(Netlink.ErrorMessage(-Errno.EPERM, 2))]
            : [Answer.Of(sent[27] == 2 ? new DumpedSocket { Cookie = 0xa000_0000_b000_0001 }.Message(20) : Netlink.ErrorMessage(Errno.ENOENT))]);
        ConnectionList candidates = Connections.Many(3, kernel);

        Close(candidates);

        Assert.Equal([Outcome.Destroyed, Outcome.Failed, Outcome.Destroyed], Enumerable.Range(0, 3).Select(i => candidates[i].Outcome));
        Assert.Equal(Errno.EBADMSG, candidates[1].Errno);
    }

    /// <summary>A malformed answer does not overrule an earlier one: a connection that was gone before was not destroyed.</summary>
    [Fact]
    public void Destroy_RefusalWithoutAnErrnoAfterEnoent_IsStillVanished()
    {
        var kernel = new FakeKernel(static (sent, _) => DestroyRequest.IsDestroy(sent)
            ? [Answer.Of(Netlink.ErrorMessage(Errno.ENOENT, 1)), Answer.Of(Netlink.ErrorMessage(-Errno.EPERM, 1))]
            : [Answer.Of(Netlink.ErrorMessage(Errno.ENOENT))]);
        ConnectionList candidates = Connections.Many(2, kernel);

        Close(candidates);

        Assert.Equal([Outcome.Vanished, Outcome.Destroyed], Enumerable.Range(0, 2).Select(i => candidates[i].Outcome));
    }

    /// <summary>
    /// The answers are lost and the lookups fail: what became of the connections is unknown, so none counts as destroyed.
    /// </summary>
    [Fact]
    public void Destroy_AnswersLostAndLookupsFail_IsUnknown()
    {
        var kernel = new FakeKernel(static (sent, _) => [DestroyRequest.IsDestroy(sent) ? Answer.Failing(Errno.ENOBUFS) : Answer.Failing(Errno.ENOMEM)]);
        ConnectionList candidates = Connections.Many(3, kernel);

        Close(candidates);

        AssertAll(candidates, Outcome.Unknown);
        Assert.Equal(0, kernel.LeftOpen);
    }

    [Fact]
    public void Destroy_AnswersOfOthersOrForOthers_AreIgnored()
    {
        var kernel = new FakeKernel(static (_, _) =>
        [
            Answer.Of(Netlink.ErrorMessage(Errno.EPERM, 1)) with { Sender = 4711 },
            Answer.Of(Netlink.ErrorMessage(Errno.EPERM, 0xdeadbeef)),
            Answer.Of(Netlink.ErrorMessage(Errno.EPERM, 4)),
            Answer.Of(Netlink.Message(Netlink.Socket, BitConverter.GetBytes(-Errno.EPERM), sequence: 1)),
            new Answer([1, 2, 3], Sender: 4711),
            new Answer([]),
        ]);
        ConnectionList candidates = Connections.Many(3, kernel);

        Close(candidates);

        AssertAll(candidates, Outcome.Destroyed);
    }

    /// <summary>
    /// If the kernel cannot destroy sockets, or not for this user, it is tried once; connections stay idle for the fallback, unreported.
    /// </summary>
    [Theory]
    [Values(Errno.EOPNOTSUPP, Errno.EINVAL, Errno.EPERM)]
    public void Destroy_RefusedForAll_IsLeftToTheFallback(int errno)
    {
        var kernel = new FakeKernel((sent, _) => DestroyRequest.IsDestroy(sent)
            ? DestroyRequest.In(sent).Select(request => Answer.Of(Netlink.ErrorMessage(errno, request.Sequence)))
            : [Answer.Of(new DumpedSocket { Cookie = new DestroyRequest(sent).Cookie }.Message(Netlink.Socket))]);
        ConnectionList candidates = Connections.Many(600, kernel);
        candidates[3].Inode = 0; // has no holder to fetch it from
        var sink = new RecordingSink(candidates);
        var destroyer = new SockDestroyer(leavesUnsupported: true);

        destroyer.Run(candidates, Contexts.Of(sink));

        Assert.All(Enumerable.Range(0, 600), i => Assert.Equal(i == 3 ? Outcome.Failed : Outcome.Pending, candidates[i].Outcome));
        Assert.Equal(errno, candidates[3].Errno);
        Assert.Equal(errno, destroyer.Refusal.Errno);
        Assert.Empty(sink.Problems);
        Assert.Single(kernel.Sent, DestroyRequest.IsDestroy);
    }

    [Theory]
    [Rows("true | Pending", "false | Mptcp")]
    public void Destroy_MptcpSubflow_IsLeftToTheFallbackOrFailed(bool leavesUnsupported, string outcome)
    {
        var kernel = new FakeKernel(static (_, _) => []);
        ConnectionList candidates = Connections.Many(3, kernel);
        candidates[1].IsMptcp = true;

        new SockDestroyer(leavesUnsupported).Run(candidates, Contexts.Of(new RecordingSink(candidates)));

        Assert.Equal(outcome, candidates[1].Outcome.ToString());
        Assert.Equal(Outcome.Destroyed, candidates[0].Outcome);
        Assert.Equal(Outcome.Destroyed, candidates[2].Outcome);
        Assert.Equal(2, DestroyRequest.In(kernel.Sent[0]).Count);
        Assert.All(DestroyRequest.In(kernel.Sent[0]), static request => Assert.Equal(2, request.Bytes[16]));
    }

    /// <summary>
    /// An old kernel answers that it destroyed an orphaned socket in FIN_WAIT1, CLOSING or LAST_ACK when it did not: those are looked up.
    /// </summary>
    [Theory]
    [Rows("FinWait1 | 0 | StillThere", "Closing | 0 | StillThere", "LastAck | 0 | StillThere", "FinWait1 | 500 | Destroyed",
        "FinWait2 | 0 | Destroyed", "Established | 0 | Destroyed")]
    public void Destroy_SocketSurvivesASuccess_IsStillThereIfItIsAClosingOrphan(byte state, uint inode, string outcome)
    {
        var socket = new DumpedSocket { State = state, Inode = inode };
        var kernel = new FakeKernel((sent, _) => DestroyRequest.IsDestroy(sent) ? [] : [Answer.Of(socket.Message(Netlink.Socket))]);
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

    /// <summary>After a refusal no lookup is needed: the socket is still there.</summary>
    [Fact]
    public void Destroy_ClosingOrphanRefused_IsFailedWithoutALookup()
    {
        var socket = new DumpedSocket { State = TcpState.FinWait1, Inode = 0 };
        var kernel = new FakeKernel((sent, _) => [Answer.Of(Netlink.ErrorMessage(Errno.EBUSY, DestroyRequest.In(sent)[0].Sequence))]);
        Assert.Equal("Failed", Destroy(kernel, socket));
        Assert.Single(kernel.Sent);
    }

    private static string Destroy(FakeKernel kernel, DumpedSocket socket)
    {
        var host = new FakeHost();
        host.Add(new FakeTcp(socket));
        ConnectionList candidates = Connections.List(kernel, host.Candidates()[0]);
        var sink = new RecordingSink(candidates);
        new SockDestroyer(leavesUnsupported: false).Run(candidates, Contexts.Of(sink));
        sink.AssertAllReported();
        Assert.Equal(0, kernel.LeftOpen);
        return candidates[0].Outcome.ToString();
    }

    private static void Close(ConnectionList candidates)
    {
        var sink = new RecordingSink(candidates);
        new SockDestroyer(leavesUnsupported: false).Run(candidates, Contexts.Of(sink));
        sink.AssertAllReported();
    }

    private static void AssertAll(ConnectionList candidates, Outcome outcome) =>
        Assert.All(Enumerable.Range(0, candidates.Count), i => Assert.Equal(outcome, candidates[i].Outcome));
}
