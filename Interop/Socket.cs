using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace TcpCloser.Interop;

/// <summary>sys/socket.h.</summary>
internal static unsafe partial class Socket
{
    public const int AF_UNIX = 1;
    public const int AF_INET = 2;
    public const int AF_INET6 = 10;
    public const int AF_NETLINK = 16;

    public const int SOCK_STREAM = 1;
    public const int SOCK_DGRAM = 2;
    public const int SOCK_RAW = 3;
    public const int SOCK_NONBLOCK = 0x800;
    public const int SOCK_CLOEXEC = 0x80000;

    public const int SOL_SOCKET = 1;
    public const int SO_REUSEADDR = 2;
    public const int SO_KEEPALIVE = 9;
    public const int SO_RCVTIMEO = 20;
    public const int SO_COOKIE = 57;
    public const int SOL_NETLINK = 270;

    public const int SHUT_RDWR = 2;

    public const int MSG_TRUNC = 0x20;
    public const int MSG_DONTWAIT = 0x40;
    public const int MSG_NOSIGNAL = 0x4000;

    [LibraryImport("libc", SetLastError = true)]
    public static partial int socket(int domain, int type, int protocol);

    [LibraryImport("libc", SetLastError = true)]
    public static partial int connect(int sockfd, void* addr, uint addrlen);

    [LibraryImport("libc", SetLastError = true)]
    public static partial int shutdown(int sockfd, int how);

    [LibraryImport("libc", SetLastError = true)]
    public static partial int getsockname(int sockfd, void* addr, uint* addrlen);

    [LibraryImport("libc", SetLastError = true)]
    public static partial int getpeername(int sockfd, void* addr, uint* addrlen);

    [LibraryImport("libc", SetLastError = true)]
    public static partial int setsockopt(int sockfd, int level, int optname, void* optval, uint optlen);

    [LibraryImport("libc", SetLastError = true)]
    public static partial int getsockopt(int sockfd, int level, int optname, void* optval, uint* optlen);

    [LibraryImport("libc", SetLastError = true)]
    public static partial nint send(int sockfd, void* buf, nuint len, int flags);

    [LibraryImport("libc", SetLastError = true)]
    public static partial nint sendto(int sockfd, void* buf, nuint len, int flags, void* destAddr, uint addrlen);

    [LibraryImport("libc", SetLastError = true)]
    public static partial nint recvfrom(int sockfd, void* buf, nuint len, int flags, void* srcAddr, uint* addrlen);
}

/// <summary>
/// struct sockaddr (sys/socket.h), 16 bytes. If all are zero it is AF_UNSPEC, and connecting to it disconnects (connect(2)).
/// </summary>
[StructLayout(LayoutKind.Sequential, Size = 16)]
internal struct SockAddr
{
    public ushort Family;
}

/// <summary>
/// struct sockaddr_in6 (netinet/in.h), 28 bytes, and struct sockaddr_in in its first 16: family and port have the same offsets, and
/// the IPv4 address is where IPv6 has its flow information. Ports and addresses are in network byte order.
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

/// <summary>struct sockaddr_un (sys/un.h), 110 bytes.</summary>
internal struct SockAddrUn
{
    /// <summary>sizeof(sun_path).</summary>
    public const int PathLength = 108;

    public ushort Family;
    public PathBytes Path;

    [InlineArray(PathLength)]
    public struct PathBytes
    {
        private byte _first;
    }
}

/// <summary>arpa/inet.h.</summary>
internal static unsafe partial class Inet
{
    [LibraryImport("libc")]
    public static partial int inet_pton(int af, byte* src, Address* dst);

    [LibraryImport("libc")]
    public static partial byte* inet_ntop(int af, Address* src, byte* dst, uint size);
}

/// <summary>struct timeval (sys/time.h), 16 bytes.</summary>
internal struct TimeVal
{
    public long Seconds;
    public long Microseconds;
}
