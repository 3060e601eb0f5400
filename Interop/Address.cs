using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace TcpCloser.Interop;

/// <summary>
/// The __be32[4] of inet_diag: an address as the wire has it, 16 bytes. An IPv4 address stands in the first four bytes of
/// an AF_INET socket, and behind <c>::ffff:</c> in an AF_INET6 one.
/// </summary>
[InlineArray(16)]
internal struct Address
{
    private byte _first;

    /// <summary>Whether this is <c>::ffff:a.b.c.d</c>.</summary>
    public readonly bool IsMappedIPv4
    {
        get
        {
            ReadOnlySpan<byte> bytes = Bytes(in this);
            return MemoryMarshal.Read<ulong>(bytes) == 0 && BinaryPrimitives.ReadUInt32BigEndian(bytes[8..]) == 0xffff;
        }
    }

    /// <summary>Whether this is in <c>fe80::/10</c>.</summary>
    public readonly bool IsLinkLocalIPv6 => this[0] == 0xfe && (this[1] & 0xc0) == 0x80;

    /// <summary>The 16 bytes.</summary>
    public static ReadOnlySpan<byte> Bytes(ref readonly Address address) =>
        MemoryMarshal.CreateReadOnlySpan(ref Unsafe.As<Address, byte>(ref Unsafe.AsRef(in address)), 16);
}
