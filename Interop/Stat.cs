using System.Runtime.InteropServices;

namespace TcpCloser.Interop;

/// <summary>linux/stat.h: statx(2), whose layout is the same on all architectures.</summary>
internal static unsafe class Stat
{
    private const int AT_SYMLINK_NOFOLLOW = 0x100;
    private const int AT_EMPTY_PATH = 0x1000;
    private const int STATX_NLINK = 0x4;
    private const int STATX_UID = 0x8;
    private const int STATX_INO = 0x100;
    private const int STATX_SIZE = 0x200;
    private const int STATX_TYPE = 1;

    /// <summary>S_IFMT (sys/stat.h).</summary>
    private const int FileType = 0xf000;

    /// <summary>S_IFREG.</summary>
    private const int RegularFile = 0x8000;

    /// <summary>S_IFDIR.</summary>
    private const int Directory = 0x4000;

    /// <summary>S_IFBLK.</summary>
    private const int BlockDevice = 0x6000;

    /// <summary>Whether the path exists and is not a regular file. Symbolic links are not followed.</summary>
    public static bool ExistsAndIsNotRegular(ReadOnlySpan<byte> path)
    {
        Statx buffer;
        fixed (byte* p = path)
        {
            return Unistd.syscall(Unistd.SYS_statx, Fcntl.AT_FDCWD, (nint)p, AT_SYMLINK_NOFOLLOW, STATX_TYPE, (nint)(&buffer)) == 0
                && (buffer.Mode & FileType) != RegularFile;
        }
    }

    /// <summary>Whether an open file is a block device.</summary>
    public static bool IsBlockDevice(int fd) => TypeOf(fd) == BlockDevice;

    /// <summary>Whether an open file is a regular file.</summary>
    public static bool IsRegularFile(int fd) => TypeOf(fd) == RegularFile;

    /// <summary>Reads the inode number of an open directory. Returns 0 or the errno; EINVAL if it is not a directory.</summary>
    public static int DirectoryInode(int fd, out ulong inode)
    {
        Statx buffer = default;
        fixed (byte* p = "\0"u8)
        {
            nint result = Unistd.syscall(Unistd.SYS_statx, fd, (nint)p, AT_EMPTY_PATH, STATX_TYPE | STATX_INO, (nint)(&buffer));
            inode = buffer.Inode;
            return result != 0 ? Marshal.GetLastPInvokeError()
                : (buffer.Mode & FileType) == Directory ? 0
                : Errno.EINVAL;
        }
    }

    /// <summary>The device of an open file as a dev_t (makedev(3)), and its inode number; zeros if they cannot be read.</summary>
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

        return (Device(buffer.DeviceMajor, buffer.DeviceMinor), buffer.Inode);
    }

    /// <summary>A device number as a dev_t (makedev(3)).</summary>
    public static ulong Device(ulong major, ulong minor) =>
        (major & 0xffff_f000) << 32 | (major & 0xfff) << 8 | (minor & 0xffff_ff00) << 12 | minor & 0xff;

    /// <summary>Reads the user id and the size of a file. Returns 0 or the errno.</summary>
    public static int UidAndSize(int directory, ReadOnlySpan<byte> path, out uint uid, out ulong size)
    {
        Statx buffer = default;
        fixed (byte* p = path)
        {
            nint result = Unistd.syscall(Unistd.SYS_statx, directory, (nint)p, 0, STATX_UID | STATX_SIZE, (nint)(&buffer));
            (uid, size) = (buffer.Uid, buffer.Size);
            return result == 0 ? 0 : Marshal.GetLastPInvokeError();
        }
    }

    /// <summary>
    /// The number of hard links of a file; each subdirectory adds one to its parent. 0: the file does not exist or cannot be read.
    /// </summary>
    public static uint Links(int directory, ReadOnlySpan<byte> path)
    {
        Statx buffer;
        fixed (byte* p = path)
        {
            return Unistd.syscall(Unistd.SYS_statx, directory, (nint)p, 0, STATX_NLINK, (nint)(&buffer)) == 0 ? buffer.Links : 0;
        }
    }

    /// <summary>The inode number of an open file or, with a path, of the file at that path; 0: it cannot be read.</summary>
    public static ulong Inode(int fd, ReadOnlySpan<byte> path = default)
    {
        Statx buffer;
        fixed (byte* p = path.IsEmpty ? "\0"u8 : path)
        {
            int flags = path.IsEmpty ? AT_EMPTY_PATH : 0;
            return Unistd.syscall(Unistd.SYS_statx, fd, (nint)p, flags, STATX_INO, (nint)(&buffer)) == 0 ? buffer.Inode : 0;
        }
    }

    /// <summary>The type of an open file (S_IFMT); 0: it cannot be read.</summary>
    private static int TypeOf(int fd)
    {
        Statx buffer;
        fixed (byte* p = "\0"u8)
        {
            return Unistd.syscall(Unistd.SYS_statx, fd, (nint)p, AT_EMPTY_PATH, STATX_TYPE, (nint)(&buffer)) == 0 ? buffer.Mode & FileType : 0;
        }
    }
}

/// <summary>struct statx (linux/stat.h), 256 bytes. Only the fields used here are declared.</summary>
[StructLayout(LayoutKind.Explicit, Size = 256)]
internal struct Statx
{
    [FieldOffset(16)]
    public uint Links;

    [FieldOffset(20)]
    public uint Uid;

    /// <summary>The type and the permissions, as in st_mode.</summary>
    [FieldOffset(28)]
    public ushort Mode;

    [FieldOffset(32)]
    public ulong Inode;

    [FieldOffset(40)]
    public ulong Size;

    [FieldOffset(136)]
    public uint DeviceMajor;

    [FieldOffset(140)]
    public uint DeviceMinor;
}

/// <summary>sys/stat.h.</summary>
internal static partial class SysStat
{
    [LibraryImport("libc", SetLastError = true)]
    public static partial int fchmod(int fd, uint mode);
}

/// <summary>sys/statfs.h: which file system a file is on (fstatfs(2)).</summary>
internal static unsafe partial class Statfs
{
    /// <summary>NSFS_MAGIC (linux/magic.h): the file is a namespace.</summary>
    public const long NSFS_MAGIC = 0x6e736673;

    /// <summary>CGROUP2_SUPER_MAGIC: the file is in a cgroup v2 hierarchy.</summary>
    public const long CGROUP2_SUPER_MAGIC = 0x63677270;

    /// <summary>PROC_SUPER_MAGIC.</summary>
    public const long PROC_SUPER_MAGIC = 0x9fa0;

    /// <summary>SYSFS_MAGIC.</summary>
    public const long SYSFS_MAGIC = 0x62656572;

    [LibraryImport("libc", SetLastError = true)]
    private static partial int fstatfs(int fd, long* buf);

    /// <summary>The magic number of the file system of an open file; 0: it cannot be read.</summary>
    public static long TypeOf(int fd)
    {
        // struct statfs is 120 bytes on x86_64 and arm64, and begins with f_type.
        long* buffer = stackalloc long[32];
        return fstatfs(fd, buffer) == 0 ? buffer[0] : 0;
    }
}
