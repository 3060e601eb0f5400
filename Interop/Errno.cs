namespace TcpCloser.Interop;

/// <summary>Error numbers of Linux on x86_64 and arm64 (asm-generic/errno.h), and their descriptions. See errno(3).</summary>
internal static class Errno
{
    /// <summary>MAX_ERRNO (linux/err.h).</summary>
    public const int Max = 4095;

    public const int EPERM = 1;
    public const int ENOENT = 2;
    public const int ESRCH = 3;
    public const int EINTR = 4;
    public const int EIO = 5;
    public const int EBADF = 9;
    public const int ENXIO = 6;
    public const int EAGAIN = 11;
    public const int ENOMEM = 12;
    public const int EACCES = 13;
    public const int EBUSY = 16;
    public const int EEXIST = 17;
    public const int EXDEV = 18;
    public const int ENODEV = 19;
    public const int ENOTDIR = 20;
    public const int EISDIR = 21;
    public const int EINVAL = 22;
    public const int ENFILE = 23;
    public const int EMFILE = 24;
    public const int EFBIG = 27;
    public const int ENOSPC = 28;
    public const int EROFS = 30;
    public const int EPIPE = 32;
    public const int ENAMETOOLONG = 36;
    public const int ENOSYS = 38;
    public const int ELOOP = 40;
    public const int ENODATA = 61;
    public const int EBADMSG = 74;
    public const int EMSGSIZE = 90;
    public const int EPROTOTYPE = 91;
    public const int ENOPROTOOPT = 92;
    public const int EPROTONOSUPPORT = 93;
    public const int EOPNOTSUPP = 95;
    public const int EAFNOSUPPORT = 97;
    public const int ECONNRESET = 104;
    public const int ENOBUFS = 105;
    public const int ENOTSOCK = 88;
    public const int ENOTCONN = 107;
    public const int ETIMEDOUT = 110;
    public const int ECONNREFUSED = 111;
    public const int EDQUOT = 122;

    /// <summary>The name and the description: <c>EPERM (operation not permitted)</c>.</summary>
    public static string Describe(int errno) => errno switch
    {
        EPERM => "EPERM (operation not permitted)",
        ENOENT => "ENOENT (no such file or object)",
        ESRCH => "ESRCH (no such process)",
        EINTR => "EINTR (interrupted by a signal)",
        EIO => "EIO (input/output error)",
        ENXIO => "ENXIO (no such device, or a FIFO that nobody reads)",
        EBADF => "EBADF (bad file descriptor)",
        EAGAIN => "EAGAIN (resource temporarily unavailable)",
        ENOMEM => "ENOMEM (out of memory)",
        EACCES => "EACCES (permission denied)",
        EBUSY => "EBUSY (device or resource busy)",
        EEXIST => "EEXIST (file exists)",
        EXDEV => "EXDEV (on another file system)",
        ENODEV => "ENODEV (no such device)",
        ENOTDIR => "ENOTDIR (not a directory)",
        EISDIR => "EISDIR (is a directory)",
        EINVAL => "EINVAL (invalid argument)",
        ENFILE => "ENFILE (too many open files in the system)",
        EMFILE => "EMFILE (too many open files)",
        EFBIG => "EFBIG (file too large)",
        ENOSPC => "ENOSPC (no space left on device)",
        EROFS => "EROFS (read-only file system)",
        EPIPE => "EPIPE (broken pipe)",
        ENAMETOOLONG => "ENAMETOOLONG (file name too long)",
        ENOSYS => "ENOSYS (function not implemented)",
        ELOOP => "ELOOP (too many symbolic links)",
        ENODATA => "ENODATA (no data available)",
        EBADMSG => "EBADMSG (not a valid message)",
        ENOTSOCK => "ENOTSOCK (not a socket)",
        EMSGSIZE => "EMSGSIZE (message too long)",
        ENOPROTOOPT => "ENOPROTOOPT (no such socket option)",
        EPROTOTYPE => "EPROTOTYPE (protocol wrong type for socket)",
        EPROTONOSUPPORT => "EPROTONOSUPPORT (protocol not supported)",
        EOPNOTSUPP => "EOPNOTSUPP (operation not supported)",
        EAFNOSUPPORT => "EAFNOSUPPORT (address family not supported)",
        ECONNRESET => "ECONNRESET (connection reset by peer)",
        ENOBUFS => "ENOBUFS (no buffer space available)",
        ENOTCONN => "ENOTCONN (socket is not connected)",
        ETIMEDOUT => "ETIMEDOUT (timed out)",
        ECONNREFUSED => "ECONNREFUSED (connection refused)",
        EDQUOT => "EDQUOT (disk quota exceeded)",
        _ => "errno " + errno.ToString(),
    };

    /// <summary>The name alone: <c>EPERM</c>; the number of an errno that has no name here.</summary>
    public static string Name(int errno)
    {
        string description = Describe(errno);
        int end = description.IndexOf(" (", StringComparison.Ordinal);
        return end < 0 ? errno.ToString() : description[..end];
    }
}
