using System.Runtime.InteropServices;

namespace TcpCloser.Interop;

/// <summary>unistd.h and sys/syscall.h.</summary>
internal static unsafe partial class Unistd
{
    public const int STDIN_FILENO = 0;
    public const int STDOUT_FILENO = 1;
    public const int STDERR_FILENO = 2;

    public const int SEEK_SET = 0;

    public const nint SYS_pidfd_send_signal = 424;
    public const nint SYS_pidfd_open = 434;
    public const nint SYS_pidfd_getfd = 438;

    /// <summary>
    /// capget(2), for which musl has no function. Its number differs between the architectures, as those of the calls below do.
    /// </summary>
    public static readonly nint SYS_capget = RuntimeInformation.ProcessArchitecture == Architecture.Arm64 ? 90 : 125;

    public static readonly nint SYS_getdents64 = RuntimeInformation.ProcessArchitecture == Architecture.Arm64 ? 61 : 217;

    public static readonly nint SYS_kcmp = RuntimeInformation.ProcessArchitecture == Architecture.Arm64 ? 272 : 312;

    /// <summary>statx(2), for which musl has no function before 1.2.4.</summary>
    public static readonly nint SYS_statx = RuntimeInformation.ProcessArchitecture == Architecture.Arm64 ? 291 : 332;

    [LibraryImport("libc", SetLastError = true)]
    public static partial nint read(int fd, void* buf, nuint count);

    [LibraryImport("libc", SetLastError = true)]
    public static partial nint write(int fd, void* buf, nuint count);

    [LibraryImport("libc", SetLastError = true)]
    public static partial int close(int fd);

    /// <summary>lseek(2). off_t has 64 bits on x86_64 and arm64.</summary>
    [LibraryImport("libc", SetLastError = true)]
    public static partial nint lseek(int fd, nint offset, int whence);

    [LibraryImport("libc")]
    public static partial int getpid();

    [LibraryImport("libc")]
    public static partial uint getuid();

    [LibraryImport("libc")]
    public static partial uint geteuid();

    [LibraryImport("libc", SetLastError = true)]
    public static partial int isatty(int fd);

    [LibraryImport("libc", SetLastError = true)]
    public static partial int unlinkat(int dirfd, byte* pathname, int flags);

    [LibraryImport("libc", SetLastError = true)]
    public static partial nint readlinkat(int dirfd, byte* pathname, byte* buf, nuint bufsiz);

    /// <summary>syscall(2), for calls that a libc may not wrap. Integer arguments only.</summary>
    [LibraryImport("libc", SetLastError = true)]
    public static partial nint syscall(nint number, nint a, nint b, nint c, nint d, nint e);

    /// <summary>The same for calls of up to three arguments. Returns 0 or the errno.</summary>
    /// <param name="result">What the call returned; -1: it failed.</param>
    public static int Syscall(nint number, nint a, nint b, nint c, out int result)
    {
        result = (int)syscall(number, a, b, c, 0, 0);
        return result >= 0 ? 0 : Marshal.GetLastPInvokeError();
    }
}

/// <summary>stdio.h.</summary>
internal static unsafe partial class Stdio
{
    [LibraryImport("libc", SetLastError = true)]
    public static partial int renameat(int olddirfd, byte* oldpath, int newdirfd, byte* newpath);
}
