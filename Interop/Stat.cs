using System.Runtime.InteropServices;

namespace TcpCloser.Interop;

/// <summary>sys/stat.h: statx(2), whose layout the architectures share.</summary>
internal static unsafe partial class Stat
{
    private const int AT_EMPTY_PATH = 0x1000;
    private const uint STATX_INO = 0x100;

    [LibraryImport("libc", SetLastError = true)]
    private static partial int statx(int dirfd, byte* pathname, int flags, uint mask, Statx* buf);

    /// <summary>The inode number of an open file or, with a path, of a file by its name; 0 with the errno set where there is none.</summary>
    public static ulong Inode(int fd, ReadOnlySpan<byte> path = default)
    {
        Statx buffer;
        fixed (byte* p = path.IsEmpty ? "\0"u8 : path)
        {
            return statx(fd, p, path.IsEmpty ? AT_EMPTY_PATH : 0, STATX_INO, &buffer) == 0 ? buffer.Inode : 0;
        }
    }
}
