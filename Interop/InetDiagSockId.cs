using System.Runtime.InteropServices;

namespace TcpCloser.Interop;

/// <summary>
/// struct inet_diag_sockid (linux/inet_diag.h), 48 bytes. Ports and addresses are in network byte order, the interface
/// index and the cookie in host order. The cookie is two u32 in C: as a ulong it would be aligned to 8 and pad the messages.
/// </summary>
[StructLayout(LayoutKind.Sequential, Pack = 4)]
internal struct InetDiagSockId
{
    public ushort SourcePort;
    public ushort DestinationPort;
    public Address Source;
    public Address Destination;
    public uint Interface;
    public uint CookieLow;
    public uint CookieHigh;

    public ulong Cookie
    {
        readonly get => CookieLow | (ulong)CookieHigh << 32;
        set => (CookieLow, CookieHigh) = ((uint)value, (uint)(value >> 32));
    }
}
