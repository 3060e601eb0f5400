using System.Runtime.InteropServices;

namespace TcpCloser.Interop;

/// <summary>net/if.h.</summary>
internal static unsafe partial class NetIf
{
    /// <summary>IFNAMSIZ: the longest device name with its NUL.</summary>
    public const int IFNAMSIZ = 16;

    [LibraryImport("libc")]
    public static partial byte* if_indextoname(uint ifindex, byte* ifname);
}
