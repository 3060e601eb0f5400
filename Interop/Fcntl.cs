using System.Runtime.InteropServices;

namespace TcpCloser.Interop;

/// <summary>fcntl.h, and flock(2) of sys/file.h, which shares its constants.</summary>
internal static unsafe partial class Fcntl
{
    public const int AT_FDCWD = -100;

    public const int O_RDONLY = 0;
    public const int O_WRONLY = 1;
    public const int O_CREAT = 0x40;
    public const int O_EXCL = 0x80;
    public const int O_NOCTTY = 0x100;
    public const int O_APPEND = 0x400;
    public const int O_NONBLOCK = 0x800;
    public const int O_CLOEXEC = 0x80000;
    public const int O_PATH = 0x200000;

    public const int F_GETFD = 1;
    public const int F_DUPFD_CLOEXEC = 1030;

    private const int LOCK_EX = 2;
    private const int LOCK_NB = 4;
    private const int LOCK_UN = 8;

    /// <summary>The only open flag used here whose value differs between x86_64 and arm64 (asm/fcntl.h).</summary>
    public static readonly int O_DIRECTORY = RuntimeInformation.ProcessArchitecture == Architecture.Arm64 ? 0x4000 : 0x10000;

    [LibraryImport("libc", SetLastError = true)]
    public static partial int openat(int dirfd, byte* pathname, int flags, uint mode);

    [LibraryImport("libc", SetLastError = true)]
    public static partial int fcntl(int fd, int cmd, nint arg);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int flock(int fd, int operation);

    /// <summary>Opens a file with O_CLOEXEC (openat(2)). The path ends with a NUL. Returns 0 or the errno.</summary>
    /// <param name="fd">The descriptor; -1: it could not be opened.</param>
    public static int Open(int dirfd, ReadOnlySpan<byte> path, int flags, out int fd, uint mode = 0)
    {
        fixed (byte* p = path)
        {
            fd = openat(dirfd, p, flags | O_CLOEXEC, mode);
            return fd >= 0 ? 0 : Marshal.GetLastPInvokeError();
        }
    }

    /// <summary>Duplicates a descriptor with O_CLOEXEC (fcntl(2)). Returns 0 or the errno.</summary>
    /// <param name="copy">The new descriptor; -1: there is none.</param>
    public static int Duplicate(int fd, out int copy)
    {
        copy = fcntl(fd, F_DUPFD_CLOEXEC, 0);
        return copy >= 0 ? 0 : Marshal.GetLastPInvokeError();
    }

    /// <summary>Locks an open file exclusively, without waiting (flock(2)). Returns 0 or the errno; EAGAIN: somebody else has the lock.</summary>
    public static int TryLock(int fd) => flock(fd, LOCK_EX | LOCK_NB) == 0 ? 0 : Marshal.GetLastPInvokeError();

    /// <summary>Unlocks a file that <see cref="TryLock"/> locked.</summary>
    public static void Unlock(int fd) => _ = flock(fd, LOCK_UN);
}
