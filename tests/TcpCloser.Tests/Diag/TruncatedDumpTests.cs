using CsCheck;
using TcpCloser.Diag;
using TcpCloser.Interop;
using TcpCloser.Tests.Support;
using Netlink = TcpCloser.Tests.Support.Netlink;

namespace TcpCloser.Tests.Diag;

/// <summary>Answers that were cut or damaged on their way: never a crash, never a connection that was not there.</summary>
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
    public void CutAtEveryByteItListsTheSocketsBeforeTheCut()
    {
        int[] ends = [.. s_sockets.Select(static socket => socket.Message(20).Length)];
        for (int cut = 0; cut <= s_datagram.Length; cut++)
        {
            int whole = 0;
            for (int end = ends[0]; end <= cut && whole < ends.Length; end += whole < ends.Length ? ends[whole] : 0)
            {
                whole++;
            }

            Assert.Equal(s_listed[..whole], Dump(s_datagram[..cut]).Sockets);
        }
    }

    [Fact]
    public void ASocketCutWithinItsMessageIsNone()
    {
        byte[] body = s_sockets[0].Body();
        for (int length = 0; length < body.Length; length++)
        {
            Assert.Empty(Dump(Netlink.Message(20, body[..length])).Sockets);
        }

        Assert.Equal(s_listed[..1], Dump(Netlink.Message(20, body)).Sockets);
    }

    [Fact]
    public void InfoCutAtEveryByteGivesTheAgeOnlyWhereItIsWhole()
    {
        byte[] attributes = s_sockets[0].Attributes();
        for (int length = 0; length <= attributes.Length; length++)
        {
            Census census = Listing.Census(["-s", "22", "-t", "1"], keep: true);
            Dump(Netlink.Message(20, [.. s_sockets[0].Body(), .. attributes[..length]]), census);

            bool known = census.Doomed.Count == 1;
            Assert.Equal(1, census.Matched);
            Assert.Equal(known ? s_sockets[0].LastDataRecv : Connection.UnknownAge, known ? census.Doomed[0].IdleMs : census.LeftAlone[0].IdleMs);
            Assert.Equal(length >= attributes.Length - Netlink.Attribute(15, [1, 2, 3, 4]).Length, known);
        }
    }

    [Fact]
    public void EverySingleFlippedBitDamagesOnlyItsOwnSocket()
    {
        int[] starts = [0, s_sockets[0].Message(20).Length, s_sockets[0].Message(20).Length + s_sockets[1].Message(20).Length, s_datagram.Length];
        for (int bit = 0; bit < s_datagram.Length * 8; bit++)
        {
            byte[] damaged = [.. s_datagram];
            damaged[bit / 8] ^= (byte)(1 << bit % 8);
            int hit = Array.FindLastIndex(starts, start => start <= bit / 8);
            List<string> listed = Dump(damaged).Sockets;

            Assert.True(listed.Count <= s_sockets.Length, $"bit {bit}");
            Assert.Equal(s_listed[..hit], listed.Take(hit));
            foreach (string socket in listed.Skip(hit + 1))
            {
                Assert.Contains(socket, s_listed[(hit + 1)..]);
            }
        }
    }

    [Fact]
    public void AnyDamageEndsInAListOrAnError() => Gen.Select(
        Gen.Int[0, s_datagram.Length * 8 - 1].Array[1, 40], Gen.Int[0, s_datagram.Length], static (bits, length) => (bits, length)).Sample(static damage =>
    {
        byte[] damaged = [.. s_datagram];
        foreach (int bit in damage.bits)
        {
            damaged[bit / 8] ^= (byte)(1 << bit % 8);
        }

        try
        {
            Assert.True(Dump(damaged[..damage.length]).Sockets.Count <= s_sockets.Length);
        }
        catch (SystemCallException)
        {
            // Damage can make an error message of anything.
        }
    }, iter: 10_000);

    [Fact]
    public void NoiseEndsInAListOrAnError() => Gen.Byte.Array[0, 300].Sample(static noise =>
    {
        try
        {
            Dump(noise);
        }
        catch (SystemCallException)
        {
            // Noise may be an error message too.
        }
    }, iter: 10_000);

    [Fact]
    public void AttributesOfNoise() => Gen.Byte.Array[0, 60].Sample(static noise =>
    {
        var attributes = new SocketAttributes(noise);
        Assert.True(attributes.Info.Length <= Math.Max(noise.Length - 4, 0));
        Assert.False(attributes.IsMptcp && noise.Length < 13);
    }, iter: 10_000);

    [Theory]
    [InlineData("", 0)]
    [InlineData("ffffff", 0)]
    [InlineData("00000000", 0)]
    [InlineData("05000000", 0)]
    [InlineData("ffffffff", 1)]
    [InlineData("feffffffff", 2)]
    public void TheErrnoOfAPayload(string hex, int errno) => Assert.Equal(errno, NetlinkReader.Error(Convert.FromHexString(hex)));

    private static RecordingSink Dump(byte[] datagram)
    {
        var sink = new RecordingSink();
        Dump(datagram, sink);
        return sink;
    }

    private static void Dump(byte[] datagram, IDumpSink sink) =>
        Listing.Run(FakeKernel.Answering(new Answer(datagram), Answer.Of(Netlink.DoneMessage())), sink, "-6", "-s", "22");
}
