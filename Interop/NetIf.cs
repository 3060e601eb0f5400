using System.Runtime.InteropServices;

namespace TcpCloser.Interop;

/// <summary>net/if.h.</summary>
internal static class NetIf
{
    /// <summary>The size of a device name including its NUL.</summary>
    public const int IFNAMSIZ = 16;
}

/// <summary>struct ifreq (net/if.h), 40 bytes: the device's name, then a union, of which only the index is used.</summary>
[StructLayout(LayoutKind.Explicit, Size = 40)]
internal unsafe struct IfReq
{
    [FieldOffset(0)]
    public fixed byte Name[NetIf.IFNAMSIZ];

    [FieldOffset(16)]
    public int Index;
}

/// <summary>sys/ioctl.h and linux/sockios.h: the names of network devices in the namespace of a socket (netdevice(7)).</summary>
internal static unsafe partial class Ioctl
{
    public const nuint SIOCGIFNAME = 0x8910;
    public const nuint SIOCGIFINDEX = 0x8933;

    [LibraryImport("libc", SetLastError = true)]
    public static partial int ioctl(int fd, nuint request, IfReq* argument);
}
