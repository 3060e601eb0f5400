using System.Runtime.InteropServices;

namespace TcpCloser.Interop;

/// <summary>poll.h, sys/timerfd.h and time.h.</summary>
internal static unsafe partial class Poll
{
    public const short POLLIN = 1;
    public const short POLLOUT = 4;

    public const int CLOCK_MONOTONIC = 1;
    public const int TFD_CLOEXEC = 0x80000;
    public const int TFD_NONBLOCK = 0x800;

    [LibraryImport("libc", SetLastError = true)]
    public static partial int poll(PollFd* fds, nuint nfds, int timeout);

    [LibraryImport("libc", SetLastError = true)]
    public static partial int timerfd_create(int clockid, int flags);

    [LibraryImport("libc", SetLastError = true)]
    public static partial int timerfd_settime(int fd, int flags, ITimerSpec* newValue, ITimerSpec* oldValue);
}

/// <summary>struct pollfd (poll.h), 8 bytes.</summary>
internal struct PollFd
{
    public int Fd;
    public short Events;
    public short Revents;
}
