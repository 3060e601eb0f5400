using TcpCloser.Interop;
using TcpCloser.Tests.Support;
using Netlink = TcpCloser.Tests.Support.Netlink;

namespace TcpCloser.Tests.Diag;

/// <summary>What the dump makes of answers, those included that no kernel at hand gives.</summary>
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

    [Theory]
    [InlineData(Netlink.Socket)]
    [InlineData(Netlink.LegacySocket)]
    public void SocketsOfOneOrMoreDatagrams(ushort type)
    {
        RecordingDumpSink sink = Dump(
            Answer.Of(s_first.Message(type), s_second.Message(type)), Answer.Of(s_first.Message(type)), Answer.Of(Netlink.DoneMessage()));
        Assert.Equal([$"{s_first}", $"{s_second}", $"{s_first}"], sink.Sockets);
    }

    [Fact]
    public void NoSockets() => Assert.Empty(Dump(Answer.Of(Netlink.DoneMessage())).Sockets);

    [Fact]
    public void DoneBehindSocketsInOneDatagram() =>
        Assert.Equal([$"{s_first}"], Dump(Answer.Of(s_first.Message(Netlink.Socket), Netlink.DoneMessage())).Sockets);

    [Fact]
    public void WhatFollowsDoneIsNotRead() =>
        Assert.Equal([$"{s_first}"], Dump(Answer.Of(s_first.Message(20), Netlink.DoneMessage(), s_second.Message(20))).Sockets);

    [Theory]
    [InlineData(0)]
    [InlineData(52)]
    [InlineData(55)]
    [InlineData(56)]
    [InlineData(104)]
    [InlineData(232)]
    [InlineData(280)]
    [InlineData(1000)]
    public void InfoIsAsLongAsItsAttribute(int length)
    {
        DumpedSocket socket = s_first with { InfoLength = length };
        Assert.Equal(socket.Info(), Dump(Answer.Of(socket.Message(20), Netlink.DoneMessage())).Infos[0]);
    }

    [Theory]
    [InlineData(Errno.ENOENT)]
    [InlineData(Errno.EPERM)]
    [InlineData(Errno.EOPNOTSUPP)]
    [InlineData(Errno.ENOMEM)]
    [InlineData(Errno.Highest)]
    public void AnErrorMessageEndsIt(int errno) => Fails(errno, 1, Answer.Of(Netlink.ErrorMessage(errno)));

    [Theory]
    [InlineData(Errno.ENOENT)]
    [InlineData(Errno.EOPNOTSUPP)]
    public void SoIsAnErrorInsideDone(int errno) => Fails(errno, 1, Answer.Of(s_first.Message(20), Netlink.DoneMessage(-errno)));

    [Fact]
    public void SoIsAnErrorOfReceive() => Fails(Errno.ENOMEM, 1, Answer.Failing(Errno.ENOMEM));

    [Theory]
    [InlineData(Errno.ENOBUFS)]
    [InlineData(Errno.EBUSY)]
    public void WhatMayPassIsTriedAFewTimes(int errno) => Fails(errno, 4, Answer.Of(s_first.Message(20)), Answer.Of(Netlink.ErrorMessage(errno)));

    [Theory]
    [InlineData(Errno.ENOBUFS)]
    [InlineData(Errno.EBUSY)]
    public void ADumpThatBrokeIsBegunAgainFromNothing(int errno)
    {
        var kernel = new FakeKernel((_, number) => number == 0
            ? [Answer.Of(s_first.Message(20)), errno == Errno.ENOBUFS ? Answer.Failing(errno) : Answer.Of(Netlink.ErrorMessage(errno))]
            : [Answer.Of(s_second.Message(20), Netlink.DoneMessage())]);
        var sink = new RecordingDumpSink();

        Assert.Equal(0, Listing.Run(kernel, sink, "-6", "-s", "22"));

        Assert.Equal([$"{s_second}"], sink.Sockets);
        Assert.Equal(2, sink.Resets);
        Assert.Equal(2, kernel.Sent.Count);
        Assert.Equal(0, kernel.LeftOpen);
    }

    [Theory]
    [InlineData(Errno.ENOBUFS, 4)]
    [InlineData(Errno.EPERM, 1)]
    public void ASendThatFails(int errno, int sends)
    {
        var kernel = new FakeKernel(static (_, _) => []) { SendErrno = _ => errno };
        Assert.Equal(errno, Listing.Run(kernel, new RecordingDumpSink(), "-6", "-s", "22"));
        Assert.Equal(sends, kernel.Sent.Count);
        Assert.Equal(0, kernel.LeftOpen);
    }

    [Fact]
    public void ADatagramBeyondTheBufferIsAskedForAgainWithRoomForIt()
    {
        byte[][] messages = [.. Enumerable.Range(0, 300).Select(i => (s_first with { Cookie = 0xc000_0000_d000_0000 + (ulong)i }).Message(20))];
        Assert.True(messages.Sum(static message => message.Length) > 64 * 1024);
        var kernel = FakeKernel.Answering(Answer.Of(messages), Answer.Of(Netlink.DoneMessage()));
        var sink = new RecordingDumpSink();

        Assert.Equal(0, Listing.Run(kernel, sink, "-6", "-s", "22"));

        Assert.Equal(300, sink.Sockets.Distinct().Count());
        Assert.Equal(300, sink.Sockets.Count);
        Assert.Equal(2, kernel.Sent.Count);
    }

    [Fact]
    public void OtherSequenceNumbersAreNotListenedTo()
    {
        byte[] stray = Netlink.Message(20, [.. s_second.Body()], sequence: 0xdeadbeef);
        byte[] error = Netlink.ErrorMessage(Errno.EPERM, 0xdeadbeef);
        byte[] done = Netlink.Message(Netlink.Done, [0, 0, 0, 0], sequence: 0xdeadbeef);
        Assert.Equal([$"{s_first}"], Dump(Answer.Of(stray, error, done), Answer.Of(s_first.Message(20), Netlink.DoneMessage())).Sockets);
    }

    [Fact]
    public void NorIsAnybodyButTheKernel()
    {
        Answer stray = Answer.Of(s_second.Message(20), Netlink.DoneMessage()) with { Sender = 4711 };
        Answer loud = new(new byte[100_000], Sender: 4711);
        RecordingDumpSink sink = Dump(stray, loud, Answer.Of(s_first.Message(20), Netlink.DoneMessage()));
        Assert.Equal([$"{s_first}"], sink.Sockets);
        Assert.Equal(1, sink.Resets);
    }

    [Fact]
    public void OtherTypesAreNoSockets()
    {
        byte[] noop = Netlink.Message(1, []);
        byte[] other = Netlink.Message(21, s_second.Body());
        Assert.Equal([$"{s_first}"], Dump(Answer.Of(noop, other, s_first.Message(20), Netlink.DoneMessage())).Sockets);
    }

    /// <summary>A list in which something makes no sense is no list: what else it lacks cannot be known.</summary>
    [Theory]
    [MemberData(nameof(Malformed))]
    public void WhatMakesNoSenseEndsIt(string what, byte[] datagram)
    {
        Assert.NotEmpty(what);
        Fails(Errno.EBADMSG, 1, Answer.Of(s_first.Message(20)), new Answer(datagram), Answer.Of(Netlink.DoneMessage()));
    }

    public static TheoryData<string, byte[]> Malformed() => new()
    {
        { "a body too short", Netlink.Message(20, s_second.Body()[..^4]) },
        { "no cookie", (s_second with { Cookie = ulong.MaxValue }).Message(20) },
        { "no TCP state", (s_second with { State = 16 }).Message(20) },
        { "state 0", (s_second with { State = 0 }).Message(20) },
        { "a state that wraps", (s_second with { State = 33 }).Message(20) },
        { "no family", (s_second with { Family = 0x8a }).Message(20) },
        { "family 0", (s_second with { Family = 0 }).Message(20) },
        { "cut off", s_second.Message(20)[..^4] },
        { "an acknowledgement", Netlink.ErrorMessage(0) },
        { "an errno that is none", Netlink.ErrorMessage(4096) },
        { "an errno of the wrong sign", Netlink.ErrorMessage(-1) },
        { "no message", [1, 2, 3] },
        { "a length below the header's", [15, 0, 0, 0, .. s_second.Message(20)[4..]] },
    };

    [Fact]
    public void AKernelThatIsSilentIsNotWaitedForForEver() => Fails(Errno.ETIMEDOUT, 1, Answer.Of(s_first.Message(20)));

    [Fact]
    public void AnInterruptedWalkIsSaid()
    {
        var kernel = FakeKernel.Answering(Answer.Of(Netlink.Message(20, s_first.Body(), flags: 0x12), Netlink.DoneMessage()));
        Assert.True(Listing.IsInterrupted(kernel));

        kernel = FakeKernel.Answering(Answer.Of(s_first.Message(20), Netlink.DoneMessage()));
        Assert.False(Listing.IsInterrupted(kernel));
    }

    private static RecordingDumpSink Dump(params Answer[] answers)
    {
        var kernel = FakeKernel.Answering(answers);
        var sink = new RecordingDumpSink();
        Assert.Equal(0, Listing.Run(kernel, sink, "-6", "-s", "22"));
        Assert.Equal(0, kernel.LeftOpen);
        Assert.Single(kernel.Sent);
        return sink;
    }

    private static void Fails(int errno, int sends, params Answer[] answers)
    {
        var kernel = FakeKernel.Answering(answers);
        Assert.Equal(errno, Listing.Run(kernel, new RecordingDumpSink(), "-6", "-s", "22"));
        Assert.Equal(sends, kernel.Sent.Count);
        Assert.Equal(0, kernel.LeftOpen);
    }
}
