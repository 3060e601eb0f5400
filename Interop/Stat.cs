namespace TcpCloser.Interop;

/// <summary>linux/stat.h: statx(2), whose layout the architectures share.</summary>
internal static unsafe class Stat
{
    private const int AT_EMPTY_PATH = 0x1000;
    private const int STATX_INO = 0x100;

    /// <summary>The inode number of an open file or, with a path, of a file by its name; 0: there is none.</summary>
    public static ulong Inode(int fd, ReadOnlySpan<byte> path = default)
    {
        Statx buffer;
        fixed (byte* p = path.IsEmpty ? "\0"u8 : path)
        {
            int flags = path.IsEmpty ? AT_EMPTY_PATH : 0;
            return Unistd.syscall(Unistd.SYS_statx, fd, (nint)p, flags, STATX_INO, (nint)(&buffer)) == 0 ? buffer.Inode : 0;
        }
    }
}
