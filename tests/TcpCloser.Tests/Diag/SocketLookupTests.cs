using TcpCloser.Diag;
using TcpCloser.Interop;
using TcpCloser.Tests.Support;
using Netlink = TcpCloser.Tests.Support.Netlink;

namespace TcpCloser.Tests.Diag;

/// <summary>The second look at one connection.</summary>
public sealed class SocketLookupTests
{
    /// <summary>The connection that is looked for.</summary>
    private static readonly DumpedSocket s_socket = new() { Cookie = 0x1122334455667788 };

    [Fact]
    public void StillThere()
    {
        var socket = s_socket with { LastDataRecv = 77, Inode = 0 };
        Assert.True(Find(out Connection now, out uint lastDataRecv, Answer.Of(socket.Message(20))));
        Assert.Equal($"{socket}", RecordingDumpSink.Text(in now));
        Assert.Equal(77u, lastDataRecv);
    }

    [Fact]
    public void Gone() => Assert.False(Find(out _, out _, Answer.Of(Netlink.ErrorMessage(Errno.ENOENT))));

    [Fact]
    public void OthersAreNotListenedTo() => Assert.False(Find(
        out _, out _,
        Answer.Of(s_socket.Message(20)) with { Sender = 4711 },
        Answer.Of(Netlink.Message(20, s_socket.Body(), sequence: 0xdeadbeef)),
        Answer.Of(Netlink.ErrorMessage(Errno.EPERM, 0xdeadbeef)),
        new Answer([1, 2, 3], Sender: 4711),
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

    /// <summary>What is no answer to this question is never taken for one, and never for "not there".</summary>
    [Theory]
    [MemberData(nameof(Malformed))]
    public void NorIsWhatMakesNoSense(string what, byte[] datagram)
    {
        Assert.NotEmpty(what);
        Assert.Equal(Errno.EBADMSG, Assert.Throws<SystemCallException>(() => Find(out _, out _, new Answer(datagram))).Errno);
    }

    public static TheoryData<string, byte[]> Malformed() => new()
    {
        { "another cookie", (s_socket with { Cookie = 7 }).Message(20) },
        { "no cookie", (s_socket with { Cookie = ulong.MaxValue }).Message(20) },
        { "no TCP state", (s_socket with { State = 16 }).Message(20) },
        { "state 0", (s_socket with { State = 0 }).Message(20) },
        { "a state that wraps", (s_socket with { State = 33 }).Message(20) },
        { "no family", (s_socket with { Family = 0x8a }).Message(20) },
        { "cut off", s_socket.Message(20)[..^4] },
        { "a body too short", Netlink.Message(20, s_socket.Body()[..^1]) },
        { "an acknowledgement", Netlink.ErrorMessage(0) },
        { "an errno that is none", Netlink.ErrorMessage(4096) },
        { "an errno of the wrong sign", Netlink.ErrorMessage(-2) },
        { "an error without an errno", Netlink.Message(Netlink.Error, [1, 2]) },
        { "the end of a dump", Netlink.DoneMessage() },
        { "another type", s_socket.Message(Netlink.Destroy) },
        { "no message", [1, 2, 3] },
    };

    [Fact]
    public void AKernelThatIsSilentIsNotWaitedForForEver() =>
        Assert.Equal(Errno.ETIMEDOUT, Assert.Throws<SystemCallException>(() => Find(out _, out _)).Errno);

    /// <summary>What did not come in time is not taken for the answer to the next question.</summary>
    [Fact]
    public void ALateAnswerIsNotListenedTo()
    {
        var kernel = new FakeKernel(static (_, number) => number == 0 ? []
            : [Answer.Of(Netlink.ErrorMessage(Errno.ENOENT, sequence: 1)), Answer.Of(s_socket.Message(20))]);
        using var lookup = new SocketLookup(new FakeNamespace(kernel));
        Assert.Throws<SystemCallException>(() => Look(lookup));
        Assert.True(Look(lookup));
    }

    private static bool Look(SocketLookup lookup)
    {
        Connection connection = Connections.Of("10.0.0.1:22 10.0.0.2:51422");
        return lookup.TryFind(in connection, out _, out _);
    }

    private static bool Find(out Connection now, out uint lastDataRecv, params Answer[] answers)
    {
        var kernel = FakeKernel.Answering(answers);
        using (var lookup = new SocketLookup(new FakeNamespace(kernel)))
        {
            Connection connection = Connections.Of("10.0.0.1:22 10.0.0.2:51422");
            bool found = lookup.TryFind(in connection, out now, out SocketFacts facts);
            lastDataRecv = facts.LastDataRecvMs;
            return found;
        }
    }
}
