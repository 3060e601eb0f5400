using System.Runtime.InteropServices;

namespace TcpCloser.Interop;

/// <summary>sys/ioctl.h and linux/sockios.h: the names of network devices, asked of a socket's own namespace (netdevice(7)).</summary>
internal static unsafe partial class Ioctl
{
    public const nuint SIOCGIFNAME = 0x8910;
    public const nuint SIOCGIFINDEX = 0x8933;

    [LibraryImport("libc", SetLastError = true)]
    public static partial int ioctl(int fd, nuint request, IfReq* argument);
}
