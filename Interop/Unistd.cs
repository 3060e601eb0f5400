using System.Runtime.InteropServices;

namespace TcpCloser.Interop;

/// <summary>unistd.h and sys/syscall.h.</summary>
internal static unsafe partial class Unistd
{
    public const int STDIN_FILENO = 0;
    public const int STDOUT_FILENO = 1;
    public const int STDERR_FILENO = 2;

    public const nint SYS_pidfd_send_signal = 424;
    public const nint SYS_pidfd_open = 434;
    public const nint SYS_pidfd_getfd = 438;

    /// <summary>capget(2): musl has no function for it.</summary>
    public static readonly nint SYS_capget = RuntimeInformation.ProcessArchitecture == Architecture.Arm64 ? 90 : 125;

    /// <summary>getdents64(2) has no number that the architectures share.</summary>
    public static readonly nint SYS_getdents64 = RuntimeInformation.ProcessArchitecture == Architecture.Arm64 ? 61 : 217;

    /// <summary>statx(2) likewise, and musl has no function for it before 1.2.4.</summary>
    public static readonly nint SYS_statx = RuntimeInformation.ProcessArchitecture == Architecture.Arm64 ? 291 : 332;

    [LibraryImport("libc", SetLastError = true)]
    public static partial nint read(int fd, void* buf, nuint count);

    [LibraryImport("libc", SetLastError = true)]
    public static partial nint write(int fd, void* buf, nuint count);

    [LibraryImport("libc", SetLastError = true)]
    public static partial int close(int fd);

    [LibraryImport("libc")]
    public static partial int getpid();

    [LibraryImport("libc")]
    public static partial int getppid();

    [LibraryImport("libc")]
    public static partial uint geteuid();

    [LibraryImport("libc", SetLastError = true)]
    public static partial int unlinkat(int dirfd, byte* pathname, int flags);

    [LibraryImport("libc", SetLastError = true)]
    public static partial nint readlinkat(int dirfd, byte* pathname, byte* buf, nuint bufsiz);

    /// <summary>syscall(2), for the calls that a libc may not wrap. Integer arguments only.</summary>
    [LibraryImport("libc", SetLastError = true)]
    public static partial nint syscall(nint number, nint a, nint b, nint c, nint d, nint e);
}
