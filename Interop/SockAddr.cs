using System.Runtime.InteropServices;

namespace TcpCloser.Interop;

/// <summary>struct sockaddr (sys/socket.h), 16 bytes. All zero it is AF_UNSPEC: connecting to it disconnects (connect(2)).</summary>
[StructLayout(LayoutKind.Sequential, Size = 16)]
internal struct SockAddr
{
    public ushort Family;
}
