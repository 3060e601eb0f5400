using TcpCloser.Diag;
using TcpCloser.Interop;
using TcpCloser.Kill;
using TcpCloser.Tests.Support;
using Netlink = TcpCloser.Tests.Support.Netlink;

namespace TcpCloser.Tests.Kill;

/// <summary>SOCK_DESTROY where another method follows.</summary>
public sealed class SockDestroyerFallbackTests
{
    /// <summary>Before another method, what the kernel cannot do, or not for this user, stays idle and untold, and is tried once.</summary>
    [Theory]
    [InlineData(Errno.EOPNOTSUPP)]
    [InlineData(Errno.EINVAL)]
    [InlineData(Errno.EPERM)]
    public void WhatRefusesAllAlikeIsLeftToTheNextMethod(int errno)
    {
        var kernel = new FakeKernel((sent, _) =>
            DestroyRequest.In(sent).Select(request => Answer.Of(Netlink.ErrorMessage(errno, request.Sequence))));
        ConnectionList candidates = Connections.Many(600, kernel);
        candidates[3].Inode = 0; // has no owner to fetch it from
        var sink = new RecordingSink(candidates);
        var destroyer = new SockDestroyer(new SocketDump(), FakeNamespace.Silent, leavesUnsupported: true);

        destroyer.Close(candidates, sink, static () => false);

        Assert.All(Enumerable.Range(0, 600), i => Assert.Equal(i == 3 ? Outcome.Failed : Outcome.Idle, candidates[i].Outcome));
        Assert.Equal(errno, candidates[3].Errno);
        Assert.Equal(errno, destroyer.RefusedErrno);
        Assert.Empty(sink.Problems);
        Assert.Single(kernel.Sent);
    }

    [Theory]
    [InlineData(true, "Idle")]
    [InlineData(false, "Destroyed")]
    public void ASubflowOfMptcpIsLeftToTheNextMethod(bool leavesUnsupported, string outcome)
    {
        var kernel = new FakeKernel(static (_, _) => []);
        ConnectionList candidates = Connections.Many(3, kernel);
        candidates[1].IsMptcp = true;

        new SockDestroyer(new SocketDump(), FakeNamespace.Silent, leavesUnsupported).Close(candidates, new RecordingSink(candidates), static () => false);

        Assert.Equal(outcome, candidates[1].Outcome.ToString());
        Assert.Equal(Outcome.Destroyed, candidates[0].Outcome);
        Assert.Equal(Outcome.Destroyed, candidates[2].Outcome);
        Assert.Equal(leavesUnsupported ? 2 : 3, DestroyRequest.In(kernel.Sent[0]).Count);
        Assert.All(DestroyRequest.In(kernel.Sent[0]), static request => Assert.Equal(2, request.Bytes[16]));
    }
}
