using System.Buffers.Binary;

namespace TcpCloser.Tests.Support;

/// <summary>A SOCK_DESTROY message, as the kernel reads it.</summary>
internal readonly record struct DestroyRequest(byte[] Bytes)
{
    private const int Size = 72;

    public uint Sequence => BinaryPrimitives.ReadUInt32LittleEndian(Bytes.AsSpan(8));
    public ushort DestinationPort => BinaryPrimitives.ReadUInt16BigEndian(Bytes.AsSpan(26));
    public ulong Cookie => BinaryPrimitives.ReadUInt64LittleEndian(Bytes.AsSpan(64));

    /// <summary>The messages of one send. Checks each: length, type, flags (only REQUEST) and cookie (always given).</summary>
    public static List<DestroyRequest> In(byte[] sent)
    {
        var requests = new List<DestroyRequest>();
        Assert.Equal(0, sent.Length % Size);
        for (int at = 0; at < sent.Length; at += Size)
        {
            byte[] message = sent[at..(at + Size)];
            Assert.Equal(Size, BinaryPrimitives.ReadInt32LittleEndian(message));
            Assert.Equal(Netlink.Destroy, BinaryPrimitives.ReadUInt16LittleEndian(message.AsSpan(4)));
            Assert.Equal(1, BinaryPrimitives.ReadUInt16LittleEndian(message.AsSpan(6)));
            var request = new DestroyRequest(message);
            Assert.NotEqual(0UL, request.Cookie);
            Assert.NotEqual(ulong.MaxValue, request.Cookie);
            requests.Add(request);
        }

        return requests;
    }

    public static bool IsDestroy(byte[] sent) => BinaryPrimitives.ReadUInt16LittleEndian(sent.AsSpan(4)) == Netlink.Destroy;
}
