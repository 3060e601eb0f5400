using System.Runtime.InteropServices;

namespace TcpCloser.Interop;

/// <summary>Processes by descriptor (pidfd_open(2), pidfd_getfd(2), pidfd_send_signal(2)): a pid that is used again is another process.</summary>
internal static unsafe class Pidfd
{
    /// <summary>Returns a descriptor of the process, or minus the errno: ENOSYS before Linux 5.3, ESRCH where it is gone.</summary>
    public static int Open(int pid) => Result(Unistd.syscall(Unistd.SYS_pidfd_open, pid, 0, 0, 0, 0));

    /// <summary>Fetches a descriptor of the process. Returns ours, or minus the errno: ENOSYS before Linux 5.6, EPERM without the right to ptrace it.</summary>
    public static int GetDescriptor(int pidfd, int fd) => Result(Unistd.syscall(Unistd.SYS_pidfd_getfd, pidfd, fd, 0, 0, 0));

    /// <summary>Returns 0 or minus the errno.</summary>
    public static int SendSignal(int pidfd, int signal) => Result(Unistd.syscall(Unistd.SYS_pidfd_send_signal, pidfd, signal, 0, 0, 0));

    /// <summary>Whether the process has ended.</summary>
    public static bool HasEnded(int pidfd)
    {
        var poll = new PollFd { Fd = pidfd, Events = Poll.POLLIN };
        return Poll.poll(&poll, 1, 0) == 1;
    }

    private static int Result(nint result) => result >= 0 ? (int)result : -Marshal.GetLastPInvokeError();
}
