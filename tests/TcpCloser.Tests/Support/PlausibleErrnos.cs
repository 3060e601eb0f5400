namespace TcpCloser.Tests.Support;

/// <summary>The errnos with which each call to a <see cref="FakeHost"/> may fail on a real machine.</summary>
internal static class PlausibleErrnos
{
    public static int[] Of(string call) => call switch
    {
        "open proc" => [Errno.ENOENT, Errno.EACCES, Errno.EMFILE, Errno.ENOMEM, Errno.EPERM],
        "list processes" => [Errno.EACCES, Errno.ENOMEM],
        "read stat" or "read status" or "read exe" or "read comm" or "read environ" or "open fd" =>
            [Errno.ENOENT, Errno.ESRCH, Errno.EACCES, Errno.EPERM, Errno.EMFILE, Errno.ENOMEM],
        "list threads" => [Errno.ENOENT, Errno.ESRCH, Errno.EMFILE, Errno.ENOMEM],
        "compare fds" => [Errno.ESRCH, Errno.EPERM, Errno.ENOSYS],
        "look" => [Errno.ENOENT, Errno.EACCES, Errno.ENOSYS],
        "list fd" or "read fd" => [Errno.ENOENT, Errno.ESRCH, Errno.EACCES, Errno.ENOMEM],
        "open process" => [Errno.ESRCH, Errno.EPERM, Errno.EMFILE, Errno.ENOMEM, Errno.ENOSYS],
        "fetch socket" => [Errno.EBADF, Errno.ESRCH, Errno.EPERM, Errno.EMFILE, Errno.ENOSYS],
        "read cookie" => [Errno.ENOTSOCK, Errno.EPERM, Errno.ENOMEM],
        "read ends" => [Errno.ENOTCONN, Errno.EPERM, Errno.ENOBUFS],
        "read option" or "set option" or "read tcp_info" => [Errno.EPERM, Errno.EINVAL, Errno.ENOMEM],
        "disconnect" => [Errno.EBUSY, Errno.EPERM, Errno.EINVAL],
        "signal" => [Errno.ESRCH, Errno.EPERM, Errno.EINVAL],
        "open netlink" => [Errno.EPROTONOSUPPORT, Errno.EPERM, Errno.EMFILE, Errno.ENOMEM],
        "send" or "send destroy" => [Errno.ENOBUFS, Errno.EPERM, Errno.ENOMEM, Errno.ECONNREFUSED],
        "receive at once" => [Errno.ENOBUFS, Errno.EPERM, Errno.ENOMEM, Errno.EINVAL], // EAGAIN is not a fault
        "receive" => [Errno.EAGAIN, Errno.ENOBUFS, Errno.EPERM, Errno.ENOMEM, Errno.EINVAL],
        _ => throw new ArgumentOutOfRangeException(nameof(call), call, "add its plausible errnos"),
    };

    /// <summary>Whether the errno means that something does not exist, so that a caller cannot detect the fault.</summary>
    public static bool MeansAbsent(string call, int errno) =>
        (call.StartsWith("read ", StringComparison.Ordinal) || call is "open fd" or "list fd" or "list threads" or "open process" or "fetch socket" or "signal")
        && errno is Errno.ENOENT or Errno.ESRCH or Errno.EBADF or Errno.ENOTSOCK or Errno.ENOTCONN;
}
