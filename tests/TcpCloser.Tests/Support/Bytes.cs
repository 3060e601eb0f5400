using System.Buffers.Binary;
using System.Net;

namespace TcpCloser.Tests.Support;

/// <summary>Builds kernel structs field by field, in the order of the C header.</summary>
internal sealed class Bytes
{
    private readonly List<byte> _bytes = [];

    public int Length => _bytes.Count;

    public Bytes U8(byte value)
    {
        _bytes.Add(value);
        return this;
    }

    /// <summary>Host byte order, which is little-endian on all supported machines.</summary>
    public Bytes U16(ushort value) => Add(BitConverter.GetBytes(value));
    public Bytes U32(uint value) => Add(BitConverter.GetBytes(value));
    public Bytes Be16(ushort value) => U16(BinaryPrimitives.ReverseEndianness(value));

    /// <summary>An address as __be32[4].</summary>
    public Bytes Address(string address)
    {
        byte[] bytes = IPAddress.Parse(address).GetAddressBytes();
        return Add(bytes).Zeros(16 - bytes.Length);
    }

    public Bytes Zeros(int count) => Add(new byte[count]);

    public Bytes Add(IEnumerable<byte> bytes)
    {
        _bytes.AddRange(bytes);
        return this;
    }

    public Bytes Pad4() => Zeros(-Length & 3);
    public byte[] ToArray() => [.. _bytes];
}
