using System.Runtime.InteropServices;

namespace TcpCloser.Interop;

/// <summary>linux/stat.h: statx(2), whose layout the architectures share.</summary>
internal static unsafe class Stat
{
    private const int AT_SYMLINK_NOFOLLOW = 0x100;
    private const int AT_EMPTY_PATH = 0x1000;
    private const int STATX_UID = 0x8;
    private const int STATX_INO = 0x100;
    private const int STATX_SIZE = 0x200;

    /// <summary>STATX_TYPE.</summary>
    private const int STATX_TYPE = 1;

    /// <summary>S_IFMT (sys/stat.h).</summary>
    private const int FileType = 0xf000;

    /// <summary>S_IFREG.</summary>
    private const int RegularFile = 0x8000;

    /// <summary>S_IFBLK.</summary>
    private const int BlockDevice = 0x6000;

    /// <summary>Whether there is something by that name, and it is no regular file. A link is what it is, not what it leads to.</summary>
    public static bool IsOtherThanRegular(ReadOnlySpan<byte> path)
    {
        Statx buffer;
        fixed (byte* p = path)
        {
            return Unistd.syscall(Unistd.SYS_statx, Fcntl.AT_FDCWD, (nint)p, AT_SYMLINK_NOFOLLOW, STATX_TYPE, (nint)(&buffer)) == 0
                && (buffer.Mode & FileType) != RegularFile;
        }
    }

    /// <summary>Whether an open file is a block device.</summary>
    public static bool IsBlockDevice(int fd)
    {
        Statx buffer;
        fixed (byte* p = "\0"u8)
        {
            return Unistd.syscall(Unistd.SYS_statx, fd, (nint)p, AT_EMPTY_PATH, STATX_TYPE, (nint)(&buffer)) == 0
                && (buffer.Mode & FileType) == BlockDevice;
        }
    }

    /// <summary>The device of an open file as a dev_t (makedev(3)), and its inode number; zeros where it is not open.</summary>
    public static (ulong Device, ulong Inode) Identity(int fd)
    {
        Statx buffer;
        fixed (byte* p = "\0"u8)
        {
            if (Unistd.syscall(Unistd.SYS_statx, fd, (nint)p, AT_EMPTY_PATH, STATX_INO, (nint)(&buffer)) != 0)
            {
                return (0, 0);
            }
        }

        ulong major = buffer.DeviceMajor;
        ulong minor = buffer.DeviceMinor;
        return ((major & 0xffff_f000) << 32 | (major & 0xfff) << 8 | (minor & 0xffff_ff00) << 12 | minor & 0xff, buffer.Inode);
    }

    /// <summary>The user id of a file's owner, and its size. Returns 0 or the errno.</summary>
    public static int OwnerAndSize(int directory, ReadOnlySpan<byte> path, out uint owner, out ulong size)
    {
        Statx buffer = default;
        fixed (byte* p = path)
        {
            nint result = Unistd.syscall(Unistd.SYS_statx, directory, (nint)p, 0, STATX_UID | STATX_SIZE, (nint)(&buffer));
            (owner, size) = (buffer.Uid, buffer.Size);
            return result == 0 ? 0 : Marshal.GetLastPInvokeError();
        }
    }

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
