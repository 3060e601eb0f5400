using System.Runtime.InteropServices;

namespace TcpCloser.Interop;

/// <summary>
/// Processes by descriptor (pidfd_open(2), pidfd_getfd(2), pidfd_send_signal(2)), because a pid may be reused by a different process. After
/// a failure, the descriptor is -1.
/// </summary>
internal static unsafe class Pidfd
{
    /// <summary>
    /// Opens a process. Returns 0 or the errno: ENOSYS before Linux 5.3, ESRCH if it is gone, EINVAL (ENOENT on newer kernels) if the id
    /// is that of a thread other than the first one of its process.
    /// </summary>
    public static int Open(int pid, out int pidfd) => Unistd.Syscall(Unistd.SYS_pidfd_open, pid, 0, 0, out pidfd);

    /// <summary>Opens a thread. Returns 0 or the errno: EINVAL before Linux 6.9 (PIDFD_THREAD), ESRCH if it is gone.</summary>
    public static int OpenThread(int thread, out int pidfd)
    {
        const nint Thread = Fcntl.O_EXCL; // linux/pidfd.h: PIDFD_THREAD
        return Unistd.Syscall(Unistd.SYS_pidfd_open, thread, Thread, 0, out pidfd);
    }

    /// <summary>
    /// Duplicates a descriptor of the process into this one. Returns 0 or the errno: ENOSYS before Linux 5.6, EPERM without permission to
    /// ptrace the process.
    /// </summary>
    public static int GetDescriptor(int pidfd, int fd, out int copy) => Unistd.Syscall(Unistd.SYS_pidfd_getfd, pidfd, fd, 0, out copy);

    /// <summary>Signals the process. Returns 0 or the errno.</summary>
    public static int SendSignal(int pidfd, int signal) => Unistd.Syscall(Unistd.SYS_pidfd_send_signal, pidfd, signal, 0, out _);
}

/// <summary>sched.h.</summary>
internal static partial class Sched
{
    public const int CLONE_NEWNET = 0x40000000;

    /// <summary>Moves the calling thread into a namespace (setns(2)).</summary>
    [LibraryImport("libc", SetLastError = true)]
    public static partial int setns(int fd, int nstype);
}

/// <summary>linux/kcmp.h: whether two threads share a kernel resource (kcmp(2)).</summary>
internal static class Kcmp
{
    /// <summary>The threads share it.</summary>
    public const int Equal = 0;

    /// <summary>The first thread's comes before the other's, in an order that is stable until the next boot.</summary>
    public const int Less = 1;

    /// <summary>The first thread's comes after the other's.</summary>
    public const int Greater = 2;

    private const nint KCMP_FILES = 2;

    /// <summary>
    /// Compares the descriptor tables of two threads. Returns 0 or the errno: ENOSYS without CONFIG_KCMP, EPERM without permission to
    /// ptrace both, or because of a seccomp filter.
    /// </summary>
    /// <param name="order">One of the values above; -1: they could not be compared.</param>
    public static int CompareFiles(int thread, int other, out int order) => Unistd.Syscall(Unistd.SYS_kcmp, thread, other, KCMP_FILES, out order);
}

/// <summary>linux/capability.h: the capabilities of this process (capabilities(7)).</summary>
internal static unsafe class Capability
{
    public const int CAP_DAC_READ_SEARCH = 2;
    public const int CAP_KILL = 5;
    public const int CAP_NET_ADMIN = 12;
    public const int CAP_SYS_PTRACE = 19;
    public const int CAP_SYS_ADMIN = 21;

    private const uint LINUX_CAPABILITY_VERSION_3 = 0x20080522;

    /// <summary>Whether a capability is in the effective set of this process. False if the set cannot be read.</summary>
    public static bool IsEffective(int capability)
    {
        // struct __user_cap_header_struct: version, pid; then two __user_cap_data_struct: effective, permitted, inheritable.
        uint* header = stackalloc uint[2] { LINUX_CAPABILITY_VERSION_3, 0 };
        uint* data = stackalloc uint[6];
        return Unistd.syscall(Unistd.SYS_capget, (nint)header, (nint)data, 0, 0, 0) == 0
            && (data[capability / 32 * 3] >> capability % 32 & 1) != 0;
    }
}
