namespace TcpCloser.Tests.Diag;

/// <summary>How the dump handles answers, including those that no available kernel gives.</summary>
public sealed class SocketDumpTests
{
    private static readonly DumpedSocket s_first = new();
    private static readonly DumpedSocket s_second = new()
    {
        Family = 10,
        Source = "fd00::1",
        Destination = "fd00::2",
        Cookie = 0xc8c9cacb_cccdcecf,
        State = 8,
        InfoLength = 0,
    };

    private static readonly DumpedSocket s_third = new() { Cookie = 7 };

    [Theory]
    [Values(Netlink.Socket, Netlink.LegacySocket)]
    public void Dump_SocketsInSeveralDatagrams_AreAllListed(ushort type) => AssertLists(
        [s_first, s_second, s_third],
        Answer.Of(s_first.Message(type), s_second.Message(type)), Answer.Of(s_third.Message(type)), Answer.Of(Netlink.DoneMessage()));

    /// <summary>The kernel resumes a bucket after the number of sockets it has listed, however many were added in front.</summary>
    [Fact]
    public void Dump_SocketsListedAgain_AreTakenOnce() => AssertLists(
        [s_first, s_second, s_third],
        Answer.Of(s_first.Message(20), s_second.Message(20)), Answer.Of(s_second.Message(20), s_third.Message(20)), Answer.Of(Netlink.DoneMessage()));

    [Fact]
    public void Dump_Done_EndsTheDumpWhereverItIs()
    {
        AssertLists([], Answer.Of(Netlink.DoneMessage()));
        AssertLists([s_first], Answer.Of(s_first.Message(20), Netlink.DoneMessage()));
        AssertLists([s_first], Answer.Of(s_first.Message(20), Netlink.DoneMessage(), s_second.Message(20)));
    }

    [Theory]
    [Values(0, 52, 55, 56, 104, 232, 280, 1000)]
    public void Dump_TcpInfoOfAnyLength_IsAsLongAsItsAttribute(int length)
    {
        DumpedSocket socket = s_first with { InfoLength = length };
        Assert.Equal(socket.Info(), AssertLists([socket], Answer.Of(socket.Message(20), Netlink.DoneMessage())).Infos[0]);
    }

    [Theory]
    [Values(Errno.ENOENT, Errno.EPERM, Errno.EOPNOTSUPP, Errno.ENOMEM, Errno.Max)]
    public void Dump_Errno_FailsWithIt(int errno)
    {
        AssertFails(errno, 1, Answer.Of(Netlink.ErrorMessage(errno)));
        AssertFails(errno, 1, Answer.Of(s_first.Message(20), Netlink.DoneMessage(-errno)));
        AssertFails(errno, 1, Answer.Failing(errno));
    }

    [Theory]
    [Values(Errno.ENOBUFS, Errno.EBUSY)]
    public void Dump_TransientErrno_FailsAfterThreeRetries(int errno) =>
        AssertFails(errno, 4, Answer.Of(s_first.Message(20)), Answer.Of(Netlink.ErrorMessage(errno)));

    [Theory]
    [Values(Errno.ENOBUFS, Errno.EBUSY)]
    public void Dump_TransientErrnoAfterASocket_StartsAgainWithoutIt(int errno)
    {
        var kernel = new FakeKernel((_, number) => number == 0
            ? [Answer.Of(s_first.Message(20)), errno == Errno.ENOBUFS ? Answer.Failing(errno) : Answer.Of(Netlink.ErrorMessage(errno))]
            : [Answer.Of(s_second.Message(20), Netlink.DoneMessage())]);
        RecordingDumpSink sink = Dump(kernel, sends: 2);
        Assert.Equal([$"{s_second}"], sink.Sockets);
        Assert.Equal(2, sink.Resets);
    }

    [Theory]
    [Rows("ENOBUFS | 4", "EPERM | 1")]
    public void Dump_SendFails_IsRetriedOnlyIfTransient(int errno, int sends) =>
        Dump(new FakeKernel(static (_, _) => []) { SendErrno = _ => errno }, sends, errno);

    [Fact]
    public void Dump_DatagramLargerThanTheBuffer_IsRepeatedWithALargerBuffer()
    {
        byte[][] messages = [.. Enumerable.Range(0, 300).Select(i => (s_first with { Cookie = 0xc000_0000_d000_0000 + (ulong)i }).Message(20))];
        Assert.True(messages.Sum(static message => message.Length) > 64 * 1024);
        RecordingDumpSink sink = Dump(FakeKernel.Answering(Answer.Of(messages), Answer.Of(Netlink.DoneMessage())), sends: 2);
        Assert.Equal(300, sink.Sockets.Count);
        Assert.Distinct(sink.Sockets);
    }

    [Fact]
    public void Dump_OtherSequenceNumbers_AreIgnored()
    {
        byte[] stray = Netlink.Message(20, [.. s_second.Body()], sequence: 0xdeadbeef);
        byte[] error = Netlink.ErrorMessage(Errno.EPERM, 0xdeadbeef);
        byte[] done = Netlink.Message(Netlink.Done, [0, 0, 0, 0], sequence: 0xdeadbeef);
        AssertLists([s_first], Answer.Of(stray, error, done), Answer.Of(s_first.Message(20), Netlink.DoneMessage()));
    }

    [Fact]
    public void Dump_SenderOtherThanTheKernel_IsIgnored()
    {
        Answer stray = Answer.Of(s_second.Message(20), Netlink.DoneMessage()) with { Sender = 4711 };
        Answer loud = new(new byte[100_000], Sender: 4711);
        Assert.Equal(1, AssertLists([s_first], stray, loud, Answer.Of(s_first.Message(20), Netlink.DoneMessage())).Resets);
    }

    [Fact]
    public void Dump_MessagesOfOtherTypes_AreIgnored() => AssertLists(
        [s_first], Answer.Of(Netlink.Message(1, []), Netlink.Message(21, s_second.Body()), s_first.Message(20), Netlink.DoneMessage()));

    /// <summary>A list with a malformed message is not used, because nothing shows which other sockets it lacks.</summary>
    [Theory]
    [MemberData(nameof(Malformed))]
    public void Dump_MalformedMessage_FailsWithEbadmsg(string flaw, byte[] datagram)
    {
        Assert.NotEmpty(flaw);
        AssertFails(Errno.EBADMSG, 1, Answer.Of(s_first.Message(20)), new Answer(datagram), Answer.Of(Netlink.DoneMessage()));
    }

    public static TheoryData<string, byte[]> Malformed() => new()
    {
        { "no cookie", (s_second with { Cookie = ulong.MaxValue }).Message(20) },
        { "an unknown state", (s_second with { State = 16 }).Message(20) },
        { "state 0", (s_second with { State = 0 }).Message(20) },
        { "a state that wraps", (s_second with { State = 33 }).Message(20) },
        { "an unknown family", (s_second with { Family = 0x8a }).Message(20) },
        { "family 0", (s_second with { Family = 0 }).Message(20) },
        { "cut off", s_second.Message(20)[..^4] },
        { "a length below the header's", [15, 0, 0, 0, .. s_second.Message(20)[4..]] },
    };

    [Fact]
    public void Dump_KernelStopsAnswering_TimesOut() => AssertFails(Errno.ETIMEDOUT, 1, Answer.Of(s_first.Message(20)));

    private static RecordingDumpSink AssertLists(DumpedSocket[] sockets, params Answer[] answers)
    {
        RecordingDumpSink sink = Dump(FakeKernel.Answering(answers));
        Assert.Equal(sockets.Select(static socket => $"{socket}"), sink.Sockets);
        return sink;
    }

    private static void AssertFails(int errno, int sends, params Answer[] answers) => Dump(FakeKernel.Answering(answers), sends, errno);

    private static RecordingDumpSink Dump(FakeKernel kernel, int sends = 1, int errno = 0)
    {
        var sink = new RecordingDumpSink();
        Assert.Equal(errno, Listing.Run(kernel, sink, "-6", "-s", "22"));
        Assert.Equal((sends, 0), (kernel.Sent.Count, kernel.LeftOpen));
        return sink;
    }
}
