using TcpCloser.Diag;
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
        RecordingSink sink = Dump(
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
    public void AnErrorMessageIsThrown(int errno) => Fails(errno, 1, Answer.Of(Netlink.ErrorMessage(errno)));

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
        var sink = new RecordingSink();

        Listing.Run(kernel, sink, "-6", "-s", "22");

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
        var e = Assert.Throws<SystemCallException>(() => Listing.Run(kernel, new RecordingSink(), "-6", "-s", "22"));
        Assert.Equal(errno, e.Errno);
        Assert.Equal(sends, kernel.Sent.Count);
        Assert.Equal(0, kernel.LeftOpen);
    }

    [Fact]
    public void ADatagramBeyondTheBufferIsAskedForAgainWithRoomForIt()
    {
        byte[][] messages = [.. Enumerable.Range(0, 300).Select(i => (s_first with { Cookie = 0xc000_0000_d000_0000 + (ulong)i }).Message(20))];
        Assert.True(messages.Sum(static message => message.Length) > 64 * 1024);
        var kernel = FakeKernel.Answering(Answer.Of(messages), Answer.Of(Netlink.DoneMessage()));
        var sink = new RecordingSink();

        Listing.Run(kernel, sink, "-6", "-s", "22");

        Assert.Equal(300, sink.Sockets.Distinct().Count());
        Assert.Equal(300, sink.Sockets.Count);
        Assert.Equal(2, kernel.Sent.Count);
    }

    [Fact]
    public void OtherSequenceNumbersAreNotListenedTo()
    {
        byte[] foreign = Netlink.Message(20, [.. s_second.Body()], sequence: 0xdeadbeef);
        byte[] error = Netlink.ErrorMessage(Errno.EPERM, 0xdeadbeef);
        byte[] done = Netlink.Message(Netlink.Done, [0, 0, 0, 0], sequence: 0xdeadbeef);
        Assert.Equal([$"{s_first}"], Dump(Answer.Of(foreign, error, done), Answer.Of(s_first.Message(20), Netlink.DoneMessage())).Sockets);
    }

    [Fact]
    public void NorIsAnybodyButTheKernel()
    {
        Answer foreign = Answer.Of(s_second.Message(20), Netlink.DoneMessage()) with { Sender = 4711 };
        Answer loud = new(new byte[100_000], Sender: 4711);
        RecordingSink sink = Dump(foreign, loud, Answer.Of(s_first.Message(20), Netlink.DoneMessage()));
        Assert.Equal([$"{s_first}"], sink.Sockets);
        Assert.Equal(1, sink.Resets);
    }

    [Fact]
    public void OtherTypesAndShortMessagesAreNoSockets()
    {
        byte[] noop = Netlink.Message(1, []);
        byte[] other = Netlink.Message(21, s_second.Body());
        byte[] cut = Netlink.Message(20, s_second.Body()[..^4]);
        Assert.Equal([$"{s_first}"], Dump(Answer.Of(noop, other, cut, s_first.Message(20), Netlink.DoneMessage())).Sockets);
    }

    /// <summary>Before Linux 5.9: then what the kernel tells of each socket decides, and what it does not tell is no match.</summary>
    [Fact]
    public void AKernelWithoutCgroupCondIsAskedWithoutIt()
    {
        var kernel = new FakeKernel((request, _) => request.Length == 72
            ? [Answer.Of(s_first.Message(20), Netlink.DoneMessage())]
            : [Answer.Of(Netlink.ErrorMessage(Errno.EINVAL))]);
        Selection selection = Words.Select("-6", "-s", "22");
        selection.CgroupIds = [5];
        var sink = new RecordingSink();
        Connection told = Connections.Of("fd00::1:22 fd00::2:5");

        byte[] bytecode = new SocketDump().Run(new FakeNamespace(kernel), selection, half: null, sink);

        Assert.Equal([$"{s_first}"], sink.Sockets);
        Assert.Equal(2, kernel.Sent.Count);
        Assert.Empty(bytecode);
        Assert.False(selection.KernelDecides);
        Assert.False(selection.IsUndecided);
        Assert.False(selection.Matches(in told, default));
        Assert.True(selection.IsUndecided); // nothing was told of this one: that is no match, and has to be said
    }

    /// <summary>A service asks again and again: the refusal is met once, and what is set anew for a round is asked for as it is then.</summary>
    [Fact]
    public void TheNextRoundAsksTheSameUnlessTheSelectionChanged()
    {
        var kernel = new FakeKernel((request, _) => request.Length == 72
            ? [Answer.Of(Netlink.DoneMessage())]
            : [Answer.Of(Netlink.ErrorMessage(Errno.EINVAL))]);
        var network = new FakeNamespace(kernel);
        var dump = new SocketDump();
        Selection marked = Words.Select("-6", "-s", "22", "--mark", "7");
        dump.Run(network, marked, half: null, new RecordingSink());
        dump.Run(network, marked, half: null, new RecordingSink());
        Assert.Equal([92, 72, 72], kernel.Sent.Select(static request => request.Length));
        Assert.False(marked.KernelDecides);

        Selection changing = Words.Select("-6", "-s", "22");
        changing.Interfaces = [2];
        Assert.Throws<SystemCallException>(() => dump.Run(network, changing, half: null, new RecordingSink()));
        changing.Interfaces = [3];
        Assert.Throws<SystemCallException>(() => dump.Run(network, changing, half: null, new RecordingSink()));
        Assert.Equal([2, 3], kernel.Sent.Skip(3).Select(static request => request[80]));
    }

    /// <summary>What has no room in the filter is not the kernel's decision, whatever the kernel knows.</summary>
    [Theory]
    [InlineData(3_000, true)]
    [InlineData(3_001, false)]
    public void MoreCgroupsThanTheFilterHoldsAreDecidedHere(int count, bool kernelDecides)
    {
        Selection selection = Words.Select("-6", "-s", "22");
        selection.CgroupIds = [.. Enumerable.Range(1, count).Select(static id => (ulong)id)];
        Connection told = Connections.Of("fd00::1:22 fd00::2:5");

        new SocketDump().Run(new FakeNamespace(FakeKernel.Answering(Answer.Of(Netlink.DoneMessage()))), selection, half: null, new RecordingSink());

        Assert.Equal(kernelDecides, selection.KernelDecides);
        Assert.Equal(kernelDecides, selection.Matches(in told, default));
    }

    /// <summary>The marks have room, the cgroups besides have not; the kernel knows neither op.</summary>
    [Fact]
    public void ARefusalIsMetAlsoWhereNotAllHaveRoom()
    {
        var kernel = new FakeKernel((request, _) => request.Length == 72
            ? [Answer.Of(Netlink.DoneMessage())]
            : [Answer.Of(Netlink.ErrorMessage(Errno.EINVAL))]);
        Selection selection = Words.Select("-6", "-s", "22", "--mark", "7");
        selection.CgroupIds = [.. Enumerable.Range(1, 3_000).Select(static id => (ulong)id)];

        new SocketDump().Run(new FakeNamespace(kernel), selection, half: null, new RecordingSink());

        Assert.Equal([92, 72], kernel.Sent.Select(static request => request.Length));
        Assert.False(selection.KernelDecides);
    }

    /// <summary>Ports need no op that an old kernel lacks.</summary>
    [Fact]
    public void AKernelThatRefusesPortsIsAnError()
    {
        var kernel = FakeKernel.Answering(Answer.Of(Netlink.ErrorMessage(Errno.EINVAL)));
        var e = Assert.Throws<SystemCallException>(() => Listing.Run(kernel, new RecordingSink(), "-6", "-s", "22,80"));
        Assert.Equal(Errno.EINVAL, e.Errno);
        Assert.Single(kernel.Sent);
    }

    [Fact]
    public void AnInterruptedWalkIsSaid()
    {
        var kernel = FakeKernel.Answering(Answer.Of(Netlink.Message(20, s_first.Body(), flags: 0x12), Netlink.DoneMessage()));
        Assert.True(Listing.IsInterrupted(kernel));

        kernel = FakeKernel.Answering(Answer.Of(s_first.Message(20), Netlink.DoneMessage()));
        Assert.False(Listing.IsInterrupted(kernel));
    }

    private static RecordingSink Dump(params Answer[] answers)
    {
        var kernel = FakeKernel.Answering(answers);
        var sink = new RecordingSink();
        Listing.Run(kernel, sink, "-6", "-s", "22");
        Assert.Equal(0, kernel.LeftOpen);
        Assert.Single(kernel.Sent);
        return sink;
    }

    private static void Fails(int errno, int sends, params Answer[] answers)
    {
        var kernel = FakeKernel.Answering(answers);
        var e = Assert.Throws<SystemCallException>(() => Listing.Run(kernel, new RecordingSink(), "-6", "-s", "22"));
        Assert.Equal(errno, e.Errno);
        Assert.Equal(sends, kernel.Sent.Count);
        Assert.Equal(0, kernel.LeftOpen);
    }
}
