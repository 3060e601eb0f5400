using TcpCloser.Interop;

namespace TcpCloser.Tests.Support;

/// <summary>How each call to a <see cref="FakeHost"/> may fail on a real machine.</summary>
internal static class PlausibleErrnos
{
    public static int[] Of(string call) => call switch
    {
        "open proc" => [Errno.ENOENT, Errno.EACCES, Errno.EMFILE, Errno.ENOMEM, Errno.EPERM],
        "list processes" => [Errno.EACCES, Errno.ENOMEM],
        "read stat" or "read status" or "read comm" or "read environ" or "open fd" =>
            [Errno.ENOENT, Errno.ESRCH, Errno.EACCES, Errno.EPERM, Errno.EMFILE, Errno.ENOMEM],
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
        "receive at once" => [Errno.ENOBUFS, Errno.EPERM, Errno.ENOMEM, Errno.EINVAL], // EAGAIN is the truth: there is no more
        "receive" => [Errno.EAGAIN, Errno.ENOBUFS, Errno.EPERM, Errno.ENOMEM, Errno.EINVAL],
        _ => throw new ArgumentOutOfRangeException(nameof(call), call, "how may it fail?"),
    };

    /// <summary>Whether the errno says of something that it is not there, which nobody can tell from the truth.</summary>
    public static bool SaysNotThere(string call, int errno) =>
        (call.StartsWith("read ", StringComparison.Ordinal) || call is "open fd" or "list fd" or "open process" or "fetch socket" or "signal")
        && errno is Errno.ENOENT or Errno.ESRCH or Errno.EBADF or Errno.ENOTSOCK or Errno.ENOTCONN;
}
