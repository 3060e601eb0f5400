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

    /// <summary>Where each socket starts, and the end of the last one.</summary>
    private static readonly int[] s_starts =
        [.. Enumerable.Range(0, s_sockets.Length + 1).Select(static count => s_sockets.Take(count).Sum(static socket => socket.Message(20).Length))];

    private static readonly string[] s_listed = [.. s_sockets.Select(static socket => $"{socket}")];

    [Fact]
    public void Dump_CutAtAnyByte_ListsTheSocketsBeforeTheCutAndFails()
    {
        for (int cut = 0; cut <= s_datagram.Length; cut++)
        {
            int whole = Array.FindLastIndex(s_starts, start => start <= cut);
            Assert.Equal(cut == s_starts[whole] ? 0 : Errno.EBADMSG, Dump(s_datagram[..cut], out RecordingDumpSink sink));
            Assert.Equal(s_listed[..whole], sink.Sockets);
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
        for (int bit = 0; bit < s_datagram.Length * 8; bit++)
        {
            int hit = Array.FindLastIndex(s_starts, start => start <= bit / 8);
            Dump(Damaged([bit]), out RecordingDumpSink sink);
            List<string> listed = sink.Sockets;

            Assert.True(listed.Count <= s_sockets.Length, $"bit {bit}");
            Assert.Equal(s_listed[..hit], listed.Take(hit));
            Assert.Subset(s_listed[(hit + 1)..].ToHashSet(), listed.Skip(hit + 1).ToHashSet());
        }
    }

    [Fact]
    public void Dump_AnyDamageOrNoise_EndsInAListOrAnErrno() => Gen.OneOf(
        Gen.Byte.Array[0, 300],
        Gen.Select(Gen.Int[0, s_datagram.Length * 8 - 1].Array[1, 40], Gen.Int[0, s_datagram.Length], static (bits, length) => Damaged(bits)[..length]))
        .Sample(static datagram =>
        {
            Dump(datagram, out RecordingDumpSink sink);
            Assert.InRange(sink.Sockets.Count, 0, Math.Min(s_sockets.Length, datagram.Length / 88)); // a header and a struct inet_diag_msg each
        }, iter: 20_000);

    [Fact]
    public void Attributes_Noise_StayWithinTheirBytes() => Gen.Byte.Array[0, 60].Sample(static noise =>
    {
        var attributes = new SocketAttributes(noise);
        Assert.True(attributes.Info.Length <= Math.Max(noise.Length - 4, 0));
        Assert.False(attributes.IsMptcp && noise.Length < 13);
    }, iter: 10_000);

    /// <summary>An error message without an error, and an errno out of range, are malformed.</summary>
    [Theory]
    [Rows(" | 0 | EBADMSG", "ffffff | 0 | EBADMSG", "00000000 | 0 | EBADMSG", "05000000 | EBADMSG | EBADMSG", "ffffffff | 1 | 1",
        "feffffffff | 2 | 2", "01f0ffff | 4095 | 4095", "00f0ffff | EBADMSG | EBADMSG", "00000080 | EBADMSG | EBADMSG")]
    public void Dump_PayloadOfDoneOrError_GivesTheErrno(string hex, int errnoOfDone, int errnoOfError)
    {
        Assert.Equal(errnoOfDone, Dump(Netlink.Message(Netlink.Done, Convert.FromHexString(hex)), out _, isEnded: false));
        Assert.Equal(errnoOfError, Dump(Netlink.Message(Netlink.Error, Convert.FromHexString(hex)), out _, isEnded: false));
    }

    private static byte[] Damaged(int[] bits)
    {
        byte[] damaged = [.. s_datagram];
        foreach (int bit in bits)
        {
            damaged[bit / 8] ^= (byte)(1 << bit % 8);
        }

        return damaged;
    }

    private static int Dump(byte[] datagram, out RecordingDumpSink sink, bool isEnded = true)
    {
        sink = new RecordingDumpSink();
        return Dump(datagram, sink.Add, sink.Reset, isEnded);
    }

    private static int Dump(byte[] datagram, DumpSink sink, Action reset, bool isEnded = true)
    {
        Answer[] end = isEnded ? [Answer.Of(Netlink.DoneMessage())] : [];
        return Listing.Run(FakeKernel.Answering([new Answer(datagram), .. end]), sink, reset, "-6", "-s", "22");
    }
}
