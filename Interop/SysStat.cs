using System.Runtime.InteropServices;

namespace TcpCloser.Interop;

/// <summary>sys/stat.h.</summary>
internal static partial class SysStat
{
    [LibraryImport("libc", SetLastError = true)]
    public static partial int fchmod(int fd, uint mode);
}
