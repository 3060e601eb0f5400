using System.Runtime.InteropServices;

namespace TcpCloser.Interop;

/// <summary>
/// struct sockaddr_in6 (netinet/in.h), 28 bytes, and struct sockaddr_in in its first 16: family and port stand alike, the IPv4
/// address where IPv6 has its flow information. Ports and addresses in network byte order.
/// </summary>
[StructLayout(LayoutKind.Explicit, Size = 28)]
internal struct SockAddrIn6
{
    [FieldOffset(0)]
    public ushort Family;

    [FieldOffset(2)]
    public ushort Port;

    [FieldOffset(4)]
    public uint IPv4Address;

    [FieldOffset(8)]
    public Address IPv6Address;
}
