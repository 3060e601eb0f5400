namespace TcpCloser.Tests.Diag;

/// <summary>The lookup of one connection.</summary>
public sealed class SocketLookupTests
{
    /// <summary>The connection that is looked up.</summary>
    private static readonly DumpedSocket s_socket = new() { Cookie = 0x1122334455667788 };

    [Fact]
    public void Lookup_ConnectionStillThere_IsFoundWithItsFacts()
    {
        var socket = s_socket with { LastDataRecv = 77, Inode = 0 };
        Assert.True(Find(Lookup(Answer.Of(socket.Message(20))), out Connection now, out uint lastDataRecv));
        Assert.Equal($"{socket}", RecordingDumpSink.Text(in now));
        Assert.Equal(77u, lastDataRecv);
    }

    /// <summary>An answer of another sender, or to another request, is not "not found" either.</summary>
    [Fact]
    public void Lookup_EnoentAfterAnswersOfOthersOrForOthers_IsNotFound() => Assert.False(Find(Lookup(
        Answer.Of(s_socket.Message(20)) with { Sender = 4711 }, Answer.Of(Netlink.Message(20, s_socket.Body(), sequence: 0xdeadbeef)),
        Answer.Of(Netlink.ErrorMessage(Errno.EPERM, 0xdeadbeef)), new Answer([1, 2, 3], Sender: 4711), Answer.Of(Netlink.ErrorMessage(Errno.ENOENT)))));

    [Theory]
    [Values(Errno.EPERM, Errno.EINVAL)]
    public void Lookup_ErrnoOtherThanEnoent_Throws(int errno) => AssertThrows(errno, Lookup(Answer.Of(Netlink.ErrorMessage(errno))));

    [Fact]
    public void Lookup_NoAnswer_Throws()
    {
        AssertThrows(Errno.ENOBUFS, Lookup(Answer.Failing(Errno.ENOBUFS)));
        AssertThrows(Errno.ENOBUFS, Lookup(new FakeKernel(static (_, _) => []) { SendErrno = static _ => Errno.ENOBUFS }));
        AssertThrows(Errno.ETIMEDOUT, Lookup());
    }

    /// <summary>A message that does not answer this request is never taken for an answer, and never for "not found".</summary>
    [Theory]
    [MemberData(nameof(Malformed))]
    public void Lookup_MalformedAnswer_Throws(string flaw, byte[] datagram)
    {
        Assert.NotEmpty(flaw);
        AssertThrows(Errno.EBADMSG, Lookup(new Answer(datagram)));
    }

    public static TheoryData<string, byte[]> Malformed() => new()
    {
        { "another cookie", (s_socket with { Cookie = 7 }).Message(20) },
        { "no cookie", (s_socket with { Cookie = ulong.MaxValue }).Message(20) },
        { "an unknown state", (s_socket with { State = 16 }).Message(20) },
        { "state 0", (s_socket with { State = 0 }).Message(20) },
        { "a state that wraps", (s_socket with { State = 33 }).Message(20) },
        { "an unknown family", (s_socket with { Family = 0x8a }).Message(20) },
        { "cut off", s_socket.Message(20)[..^4] },
        { "a body too short", Netlink.Message(20, s_socket.Body()[..^1]) },
        { "an acknowledgement", Netlink.ErrorMessage(0) },
        { "an errno out of range", Netlink.ErrorMessage(4096) },
        { "an errno of the wrong sign", Netlink.ErrorMessage(-2) },
        { "an error without an errno", Netlink.Message(Netlink.Error, [1, 2]) },
        { "the end of a dump", Netlink.DoneMessage() },
        { "another type", s_socket.Message(Netlink.Destroy) },
        { "shorter than a header", [1, 2, 3] },
    };

    /// <summary>An answer that comes too late is not taken for the answer to the next request.</summary>
    [Fact]
    public void Lookup_LateAnswerToTheLastRequest_IsIgnored()
    {
        using SocketLookup lookup = Lookup(new FakeKernel(static (_, number) => number == 0 ? []
            : [Answer.Of(Netlink.ErrorMessage(Errno.ENOENT, sequence: 1)), Answer.Of(s_socket.Message(20))]));
        Assert.Throws<SystemCallException>(() => Find(lookup));
        Assert.True(Find(lookup));
    }

    private static void AssertThrows(int errno, SocketLookup lookup) =>
        Assert.Equal(errno, Assert.Throws<SystemCallException>(() => Find(lookup)).Failure.Errno);

    private static SocketLookup Lookup(params Answer[] answers) => Lookup(FakeKernel.Answering(answers));

    private static SocketLookup Lookup(FakeKernel kernel) => new(new FakeNamespace(kernel));

    private static bool Find(SocketLookup lookup) => Find(lookup, out _, out _);

    private static bool Find(SocketLookup lookup, out Connection now, out uint lastDataRecv)
    {
        Connection connection = Connections.Of("10.0.0.1:22 10.0.0.2:51422");
        bool found = lookup.TryFind(in connection, out now, out SocketFacts facts);
        lastDataRecv = facts.LastDataRecvMs;
        return found;
    }
}
