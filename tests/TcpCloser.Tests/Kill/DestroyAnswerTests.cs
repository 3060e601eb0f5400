using TcpCloser.Diag;
using TcpCloser.Interop;
using TcpCloser.Kill;
using TcpCloser.Tests.Support;
using Netlink = TcpCloser.Tests.Support.Netlink;

namespace TcpCloser.Tests.Kill;

/// <summary>Answers to SOCK_DESTROY that are lost, make no sense, or are for others.</summary>
public sealed class DestroyAnswerTests
{
    [Fact]
    public void WhereAnswersWereLostTheConnectionsAreLookedUp()
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

    /// <summary>A refusal that names no errno may be of anything: whether the connection is gone, a look says.</summary>
    [Fact]
    public void AnAnswerWithoutSenseIsLookedAfter()
    {
        var kernel = new FakeKernel(static (sent, _) => DestroyRequest.IsDestroy(sent)
            ? [Answer.Of(Netlink.ErrorMessage(-Errno.EPERM, 1)), Answer.Of(Netlink.ErrorMessage(-Errno.EPERM, 2))]
            : [Answer.Of(sent[27] == 2 ? new DumpedSocket { Cookie = 0xa000_0000_b000_0001 }.Message(20) : Netlink.ErrorMessage(Errno.ENOENT))]);
        ConnectionList candidates = Connections.Many(3, kernel);

        Close(candidates);

        Assert.Equal([Outcome.Destroyed, Outcome.Failed, Outcome.Destroyed], Enumerable.Range(0, 3).Select(i => candidates[i].Outcome));
        Assert.Equal(Errno.EBADMSG, candidates[1].Errno);
    }

    /// <summary>Nor does it take back what was said: one that was gone before was not destroyed.</summary>
    [Fact]
    public void AnAnswerWithoutSenseTakesNothingBack()
    {
        var kernel = new FakeKernel(static (sent, _) => DestroyRequest.IsDestroy(sent)
            ? [Answer.Of(Netlink.ErrorMessage(Errno.ENOENT, 1)), Answer.Of(Netlink.ErrorMessage(-Errno.EPERM, 1))]
            : [Answer.Of(Netlink.ErrorMessage(Errno.ENOENT))]);
        ConnectionList candidates = Connections.Many(2, kernel);

        Close(candidates);

        Assert.Equal([Outcome.Vanished, Outcome.Destroyed], Enumerable.Range(0, 2).Select(i => candidates[i].Outcome));
    }

    /// <summary>The answers were lost, and so is the look-up: nobody knows what became of the connections, so none is said to be destroyed.</summary>
    [Fact]
    public void WhatCannotBeLookedUpIsNotSaidToBeDestroyed()
    {
        var kernel = new FakeKernel(static (sent, _) => [DestroyRequest.IsDestroy(sent) ? Answer.Failing(Errno.ENOBUFS) : Answer.Failing(Errno.ENOMEM)]);
        ConnectionList candidates = Connections.Many(3, kernel);

        Close(candidates);

        AllAre(candidates, Outcome.Unknown);
        Assert.Equal(0, kernel.LeftOpen);
    }

    [Fact]
    public void AnswersOfOthersAndForOthersAreNotListenedTo()
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

        AllAre(candidates, Outcome.Destroyed);
    }

    private static void Close(ConnectionList candidates)
    {
        var sink = new RecordingSink(candidates);
        new SockDestroyer(new SocketDump(), FakeNamespace.Silent, leavesUnsupported: false).Close(candidates, sink, static () => false);
        sink.AssertAllTold();
    }

    private static void AllAre(ConnectionList candidates, Outcome outcome) =>
        Assert.All(Enumerable.Range(0, candidates.Count), i => Assert.Equal(outcome, candidates[i].Outcome));
}
