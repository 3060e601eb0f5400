using System.Runtime.InteropServices;

namespace TcpCloser.Interop;

/// <summary>sys/statfs.h: which file system a file is on (fstatfs(2)).</summary>
internal static unsafe partial class Statfs
{
    /// <summary>NSFS_MAGIC (linux/magic.h): the file is a namespace.</summary>
    public const long NSFS_MAGIC = 0x6e736673;

    /// <summary>PROC_SUPER_MAGIC.</summary>
    public const long PROC_SUPER_MAGIC = 0x9fa0;

    /// <summary>SYSFS_MAGIC.</summary>
    public const long SYSFS_MAGIC = 0x62656572;

    [LibraryImport("libc", SetLastError = true)]
    private static partial int fstatfs(int fd, long* buf);

    /// <summary>The magic number of the file system of an open file; 0: not known.</summary>
    public static long TypeOf(int fd)
    {
        // struct statfs is 120 bytes on x86_64 and arm64, and begins with f_type.
        long* buffer = stackalloc long[32];
        return fstatfs(fd, buffer) == 0 ? buffer[0] : 0;
    }
}
