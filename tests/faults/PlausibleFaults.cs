namespace TcpCloser.Faults;

/// <summary>A fault in strace's syntax: an error, <c>error=EPERM</c>, or a signal during the call, <c>signal=SIGTERM</c>.</summary>
internal readonly record struct Fault(string Text)
{
    internal bool IsSignal => Text.StartsWith("signal=", StringComparison.Ordinal);
    internal string Name => Text[(Text.IndexOf('=') + 1)..];
    public override string ToString() => Name;
}

/// <summary>The errors of each call: those of its manual page, lack of memory or descriptors, and refusal by a seccomp filter.</summary>
internal static class PlausibleFaults
{
    private static readonly Dictionary<string, string> s_errors = new()
    {
        ["socket"] = "EPERM EACCES EAFNOSUPPORT EPROTONOSUPPORT EMFILE ENFILE ENOBUFS ENOMEM",
        ["bind"] = "EPERM EACCES EADDRINUSE ENOMEM",
        ["connect"] = "EPERM EACCES EBUSY EINTR EINVAL ENOENT ECONNREFUSED EAGAIN EPROTOTYPE ENETUNREACH",
        ["setsockopt"] = "ENOPROTOOPT EPERM EINVAL ENOMEM",
        ["getsockopt"] = "ENOPROTOOPT EPERM EINVAL ENOBUFS ENOTCONN",
        ["sendto"] = "EPERM EACCES EAGAIN EINTR ENOBUFS ENOMEM EINVAL ECONNREFUSED ENOTCONN",
        ["sendmsg"] = "EPERM EACCES EAGAIN EINTR ENOBUFS ENOMEM EINVAL ECONNREFUSED ENOTCONN",
        ["recvfrom"] = "ENOBUFS ENOMEM EINTR EAGAIN EPERM EINVAL",
        ["recvmsg"] = "ENOBUFS ENOMEM EINTR EAGAIN EPERM EINVAL",
        ["openat"] = "ENOENT EACCES EPERM EMFILE ENFILE ENOMEM ESRCH EINTR",
        ["open"] = "ENOENT EACCES EPERM EMFILE ENFILE ENOMEM ESRCH EINTR",
        ["read"] = "EIO EINTR EAGAIN ESRCH EPERM ENOMEM",
        ["pread64"] = "EIO EINTR EAGAIN ESRCH EPERM ENOMEM",
        ["write"] = "EIO ENOSPC EPIPE EAGAIN EINTR EFBIG",
        ["writev"] = "EIO ENOSPC EPIPE EAGAIN EINTR EFBIG",
        ["close"] = "EINTR EIO",
        ["getdents64"] = "ENOENT EIO ENOMEM EPERM",
        ["readlinkat"] = "ENOENT EACCES ESRCH ENOMEM",
        ["readlink"] = "ENOENT EACCES ESRCH ENOMEM",
        ["newfstatat"] = "ENOENT EACCES ENOMEM ESRCH",
        ["fstat"] = "ENOMEM EIO EPERM",
        ["statx"] = "ENOENT EACCES ENOMEM ENOSYS",
        ["statfs"] = "ENOSYS EACCES ENOMEM EIO",
        ["fstatfs"] = "ENOSYS EACCES ENOMEM EIO",
        ["fcntl"] = "EBADF EPERM EMFILE EINVAL",
        ["ioctl"] = "ENOTTY ENODEV EPERM EINVAL",
        ["poll"] = "EINTR ENOMEM EINVAL",
        ["ppoll"] = "EINTR ENOMEM EINVAL",
        ["pidfd_open"] = "ESRCH EMFILE ENFILE ENOSYS EPERM ENOMEM",
        ["pidfd_getfd"] = "EPERM EBADF ESRCH EMFILE ENFILE ENOSYS",
        ["pidfd_send_signal"] = "EPERM ESRCH ENOSYS EINVAL",
        ["kcmp"] = "EPERM ESRCH ENOSYS EINVAL",
        ["kill"] = "EPERM ESRCH",
        ["setns"] = "EPERM EINVAL ENOMEM ENOSYS",
        ["unshare"] = "EPERM ENOMEM ENOSPC",
        ["timerfd_create"] = "EMFILE ENFILE ENOMEM EPERM ENOSYS",
        ["timerfd_settime"] = "EINVAL EPERM",
        ["signalfd4"] = "EMFILE ENFILE ENOMEM ENODEV EPERM",
        ["shutdown"] = "ENOTCONN ENOBUFS EPERM",
        ["dup"] = "EMFILE EBADF",
        ["dup2"] = "EMFILE EBADF EBUSY EINTR",
        ["dup3"] = "EMFILE EBADF EBUSY EINTR",
        ["capget"] = "EPERM EINVAL",
        ["rename"] = "EACCES ENOSPC EROFS EXDEV",
        ["fchmod"] = "EPERM EROFS",
        ["ftruncate"] = "EPERM EIO",
        ["lseek"] = "ESPIPE EINVAL",
    };

    /// <summary>Instead of an error, the signal that requests a stop.</summary>
    private static readonly Fault s_terminate = new("signal=SIGTERM");

    internal static IEnumerable<Fault> Of(Call call)
        => s_errors.GetValueOrDefault(call.Name, "EPERM EINVAL ENOMEM ENOSYS").Split(' ')
            // With MSG_DONTWAIT, EAGAIN means that there is no more.
            .Where(name => name != "EAGAIN" || !call.Text.Contains("MSG_DONTWAIT"))
            .Select(name => new Fault("error=" + name))
            .Append(s_terminate);
}
