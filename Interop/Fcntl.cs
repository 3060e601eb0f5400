using System.Runtime.InteropServices;

namespace TcpCloser.Interop;

/// <summary>fcntl.h.</summary>
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

    /// <summary>The one open flag that x86_64 and arm64 number differently (asm/fcntl.h).</summary>
    public static readonly int O_DIRECTORY = RuntimeInformation.ProcessArchitecture == Architecture.Arm64 ? 0x4000 : 0x10000;

    [LibraryImport("libc", SetLastError = true)]
    public static partial int openat(int dirfd, byte* pathname, int flags, uint mode);

    [LibraryImport("libc", SetLastError = true)]
    public static partial int fcntl(int fd, int cmd, nint arg);

    /// <summary>openat(2) with a path of ours. Returns a descriptor or minus the errno.</summary>
    public static int Open(int dirfd, ReadOnlySpan<byte> path, int flags, uint mode = 0)
    {
        fixed (byte* p = path)
        {
            int fd = openat(dirfd, p, flags | O_CLOEXEC, mode);
            return fd >= 0 ? fd : -Marshal.GetLastPInvokeError();
        }
    }
}
