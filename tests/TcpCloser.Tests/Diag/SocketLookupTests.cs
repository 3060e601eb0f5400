using TcpCloser.Diag;
using TcpCloser.Interop;
using TcpCloser.Tests.Support;
using Netlink = TcpCloser.Tests.Support.Netlink;

namespace TcpCloser.Tests.Diag;

/// <summary>The second look at one connection.</summary>
public sealed class SocketLookupTests
{
    [Fact]
    public void StillThere()
    {
        var socket = new DumpedSocket { LastDataRecv = 77, Inode = 0 };
        Assert.True(Find(out Connection now, out byte[] info, Answer.Of(socket.Message(20))));
        Assert.Equal($"{socket}", RecordingSink.Text(in now));
        Assert.Equal(socket.Info(), info);
    }

    [Fact]
    public void Gone() => Assert.False(Find(out _, out _, Answer.Of(Netlink.ErrorMessage(Errno.ENOENT))));

    [Fact]
    public void OthersAreNotListenedTo() => Assert.False(Find(
        out _, out _,
        Answer.Of(new DumpedSocket().Message(20)) with { Sender = 4711 },
        Answer.Of(Netlink.Message(20, new DumpedSocket().Body(), sequence: 0xdeadbeef)),
        Answer.Of(Netlink.ErrorMessage(Errno.EPERM, 0xdeadbeef)),
        new Answer([1, 2, 3]),
        Answer.Of(Netlink.ErrorMessage(Errno.ENOENT))));

    [Theory]
    [InlineData(Errno.EPERM)]
    [InlineData(Errno.EINVAL)]
    public void AnyOtherErrorIsNoAnswer(int errno) =>
        Assert.Equal(errno, Assert.Throws<SystemCallException>(() => Find(out _, out _, Answer.Of(Netlink.ErrorMessage(errno)))).Errno);

    [Fact]
    public void NorIsAnErrorOfReceive() =>
        Assert.Equal(Errno.ENOBUFS, Assert.Throws<SystemCallException>(() => Find(out _, out _, Answer.Failing(Errno.ENOBUFS))).Errno);

    [Fact]
    public void NorOneOfSend()
    {
        var kernel = new FakeKernel(static (_, _) => []) { SendErrno = static _ => Errno.ENOBUFS };
        using var lookup = new SocketLookup(new FakeNamespace(kernel));
        Assert.Throws<SystemCallException>(() =>
        {
            Connection connection = Connections.Of("10.0.0.1:22 10.0.0.2:51422");
            lookup.TryFind(in connection, out _, out _);
        });
    }

    private static bool Find(out Connection now, out byte[] info, params Answer[] answers)
    {
        var kernel = FakeKernel.Answering(answers);
        using (var lookup = new SocketLookup(new FakeNamespace(kernel)))
        {
            Connection connection = Connections.Of("10.0.0.1:22 10.0.0.2:51422");
            bool found = lookup.TryFind(in connection, out now, out ReadOnlySpan<byte> attribute);
            info = attribute.ToArray();
            return found;
        }
    }
}
