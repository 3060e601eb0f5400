using CsCheck;

namespace TcpCloser.Tests.Diag;

/// <summary>Answers that were cut or damaged: never a crash, and never a connection that was not there.</summary>
public sealed class TruncatedDumpTests
{
    private static readonly DumpedSocket[] s_sockets =
    [
        new() { Cookie = 0xc0c1c2c3_c4c5c6c7 },
        new() { Cookie = 0xc8c9cacb_cccdcecf, InfoLength = 0 },
        new() { Cookie = 0xd0d1d2d3_d4d5d6d7, Family = 10, Source = "fd00::1", Destination = "fd00::2", InfoLength = 104 },
    ];

    private static readonly byte[] s_datagram = Netlink.Datagram([.. s_sockets.Select(static socket => socket.Message(20))]);

    private static readonly string[] s_listed = [.. s_sockets.Select(static socket => $"{socket}")];

    [Fact]
    public void Dump_CutAtAnyByte_ListsTheSocketsBeforeTheCutAndFails()
    {
        int[] ends = [.. s_sockets.Select(static socket => socket.Message(20).Length)];
        for (int cut = 0; cut <= s_datagram.Length; cut++)
        {
            int whole = 0;
            for (int end = ends[0]; end <= cut && whole < ends.Length; end += whole < ends.Length ? ends[whole] : 0)
            {
                whole++;
            }

            int errno = Dump(s_datagram[..cut], out RecordingDumpSink sink);

            Assert.Equal(s_listed[..whole], sink.Sockets);
            Assert.Equal(cut == ends[..whole].Sum() ? 0 : Errno.EBADMSG, errno);
        }
    }

    [Fact]
    public void Dump_BodyOfASocketTooShort_IsNotListed()
    {
        byte[] body = s_sockets[0].Body();
        for (int length = 0; length < body.Length; length++)
        {
            Assert.Equal(Errno.EBADMSG, Dump(Netlink.Message(20, body[..length]), out RecordingDumpSink cut));
            Assert.Empty(cut.Sockets);
        }

        Assert.Equal(0, Dump(Netlink.Message(20, body), out RecordingDumpSink whole));
        Assert.Equal(s_listed[..1], whole.Sockets);
    }

    [Fact]
    public void Dump_TcpInfoCutAtAnyByte_HasAnAgeOnlyIfComplete()
    {
        byte[] attributes = s_sockets[0].Attributes();
        for (int length = 0; length <= attributes.Length; length++)
        {
            Collector collector = Listing.Collector(["-s", "22", "-t", "1"], keep: true);
            Assert.Equal(0, Dump(Netlink.Message(20, [.. s_sockets[0].Body(), .. attributes[..length]]), collector.Add, collector.Reset));

            bool known = collector.Candidates.Count == 1;
            Assert.Equal(1, collector.Matched);
            Assert.Equal(known ? s_sockets[0].LastDataRecv : Connection.UnknownAge, known ? collector.Candidates[0].IdleMs : collector.LeftAlone[0].IdleMs);
            Assert.Equal(length >= attributes.Length - Netlink.Attribute(15, [1, 2, 3, 4]).Length, known);
        }
    }

    [Fact]
    public void Dump_AnyBitFlipped_DamagesOnlyItsOwnSocket()
    {
        int[] starts = [0, s_sockets[0].Message(20).Length, s_sockets[0].Message(20).Length + s_sockets[1].Message(20).Length, s_datagram.Length];
        for (int bit = 0; bit < s_datagram.Length * 8; bit++)
        {
            byte[] damaged = [.. s_datagram];
            damaged[bit / 8] ^= (byte)(1 << bit % 8);
            int hit = Array.FindLastIndex(starts, start => start <= bit / 8);
            Dump(damaged, out RecordingDumpSink sink);
            List<string> listed = sink.Sockets;

            Assert.True(listed.Count <= s_sockets.Length, $"bit {bit}");
            Assert.Equal(s_listed[..hit], listed.Take(hit));
            foreach (string socket in listed.Skip(hit + 1))
            {
                Assert.Contains(socket, s_listed[(hit + 1)..]);
            }
        }
    }

    [Fact]
    public void Dump_AnyDamage_EndsInAListOrAnErrno() => Gen.Select(
        Gen.Int[0, s_datagram.Length * 8 - 1].Array[1, 40], Gen.Int[0, s_datagram.Length], static (bits, length) => (bits, length)).Sample(static damage =>
    {
        byte[] damaged = [.. s_datagram];
        foreach (int bit in damage.bits)
        {
            damaged[bit / 8] ^= (byte)(1 << bit % 8);
        }

        Dump(damaged[..damage.length], out RecordingDumpSink sink);
        Assert.True(sink.Sockets.Count <= s_sockets.Length);
    }, iter: 10_000);

    [Fact]
    public void Dump_Noise_EndsInAListOrAnErrno() => Gen.Byte.Array[0, 300].Sample(static noise =>
    {
        Dump(noise, out RecordingDumpSink sink);
        Assert.True(sink.Sockets.Count <= noise.Length / 88); // a header and a struct inet_diag_msg each
    }, iter: 10_000);

    [Fact]
    public void Attributes_Noise_StayWithinTheirBytes() => Gen.Byte.Array[0, 60].Sample(static noise =>
    {
        var attributes = new SocketAttributes(noise);
        Assert.True(attributes.Info.Length <= Math.Max(noise.Length - 4, 0));
        Assert.False(attributes.IsMptcp && noise.Length < 13);
    }, iter: 10_000);

    /// <summary>An error message without an error, and an errno out of range, are malformed.</summary>
    [Theory]
    [InlineData(Netlink.Done, "", 0)]
    [InlineData(Netlink.Done, "ffffff", 0)]
    [InlineData(Netlink.Done, "00000000", 0)]
    [InlineData(Netlink.Done, "05000000", Errno.EBADMSG)]
    [InlineData(Netlink.Done, "ffffffff", 1)]
    [InlineData(Netlink.Done, "feffffffff", 2)]
    [InlineData(Netlink.Done, "01f0ffff", 4095)]
    [InlineData(Netlink.Done, "00f0ffff", Errno.EBADMSG)]
    [InlineData(Netlink.Done, "00000080", Errno.EBADMSG)]
    [InlineData(Netlink.Error, "", Errno.EBADMSG)]
    [InlineData(Netlink.Error, "ffffff", Errno.EBADMSG)]
    [InlineData(Netlink.Error, "00000000", Errno.EBADMSG)]
    [InlineData(Netlink.Error, "05000000", Errno.EBADMSG)]
    [InlineData(Netlink.Error, "ffffffff", 1)]
    [InlineData(Netlink.Error, "01f0ffff", 4095)]
    [InlineData(Netlink.Error, "00f0ffff", Errno.EBADMSG)]
    public void Dump_PayloadOfDoneOrError_GivesTheErrno(ushort type, string hex, int errno)
    {
        var kernel = FakeKernel.Answering(Answer.Of(Netlink.Message(type, Convert.FromHexString(hex))));
        Assert.Equal(errno, Listing.Run(kernel, new RecordingDumpSink(), "-6", "-s", "22"));
    }

    private static int Dump(byte[] datagram, out RecordingDumpSink sink)
    {
        sink = new RecordingDumpSink();
        return Dump(datagram, sink.Add, sink.Reset);
    }

    private static int Dump(byte[] datagram, DumpSink sink, Action reset) =>
        Listing.Run(FakeKernel.Answering(new Answer(datagram), Answer.Of(Netlink.DoneMessage())), sink, reset, "-6", "-s", "22");
}
