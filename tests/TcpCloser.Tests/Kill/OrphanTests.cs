using TcpCloser.Diag;
using TcpCloser.Interop;
using TcpCloser.Kill;
using TcpCloser.Tests.Support;
using Netlink = TcpCloser.Tests.Support.Netlink;

namespace TcpCloser.Tests.Kill;

/// <summary>An old kernel says that it destroyed what is on its way to be closed and has no owner, and does not: that is looked at.</summary>
public sealed class OrphanTests
{
    [Theory]
    [InlineData(TcpState.FinWait1, 0, "StillThere")]
    [InlineData(TcpState.Closing, 0, "StillThere")]
    [InlineData(TcpState.LastAck, 0, "StillThere")]
    [InlineData(TcpState.FinWait1, 500, "Destroyed")]
    [InlineData(TcpState.FinWait2, 0, "Destroyed")]
    [InlineData(TcpState.Established, 0, "Destroyed")]
    public void WhatTheKernelDidNotDestroy(byte state, uint inode, string outcome)
    {
        var socket = new DumpedSocket { State = state, Inode = inode };
        var kernel = new FakeKernel((sent, _) => DestroyRequest.IsDestroy(sent) ? [] : [Answer.Of(socket.Message(Netlink.Socket))]);
        Assert.Equal(outcome, Destroy(kernel, socket));
        Assert.Equal(outcome == "StillThere" ? 2 : 1, kernel.Sent.Count);
    }

    [Fact]
    public void WhatItDid()
    {
        var socket = new DumpedSocket { State = TcpState.FinWait1, Inode = 0 };
        var kernel = new FakeKernel((sent, _) => DestroyRequest.IsDestroy(sent) ? [] : [Answer.Of(Netlink.ErrorMessage(Errno.ENOENT))]);
        Assert.Equal("Destroyed", Destroy(kernel, socket));
    }

    /// <summary>What was refused is not looked at: it is there.</summary>
    [Fact]
    public void WhatItRefused()
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
        new SockDestroyer(new SocketDump(), FakeNamespace.Silent, leavesUnsupported: false).Close(candidates, sink, static () => false);
        sink.AssertAllTold();
        Assert.Equal(0, kernel.LeftOpen);
        return candidates[0].Outcome.ToString();
    }
}
