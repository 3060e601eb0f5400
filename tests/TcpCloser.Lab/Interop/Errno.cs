namespace TcpCloser.Lab.Interop;

/// <summary>Error numbers (errno(3)), and the conversion of failed calls into exceptions.</summary>
internal static class Errno
{
    internal const int EINTR = 4;
    internal const int EAGAIN = 11;
    internal const int EINVAL = 22;
    internal const int EPIPE = 32;
    internal const int ECONNABORTED = 103;
    internal const int ECONNRESET = 104;
    internal const int ENOTCONN = 107;
    internal const int EINPROGRESS = 115;

    internal static int Last => Marshal.GetLastPInvokeError();

    internal static string Name(int errno) => errno switch
    {
        1 => "EPERM",
        2 => "ENOENT",
        EINTR => "EINTR",
        9 => "EBADF",
        EAGAIN => "EAGAIN",
        13 => "EACCES",
        19 => "ENODEV",
        EINVAL => "EINVAL",
        23 => "ENFILE",
        24 => "EMFILE",
        EPIPE => "EPIPE",
        92 => "ENOPROTOOPT",
        93 => "EPROTONOSUPPORT",
        95 => "EOPNOTSUPP",
        97 => "EAFNOSUPPORT",
        98 => "EADDRINUSE",
        99 => "EADDRNOTAVAIL",
        100 => "ENETDOWN",
        101 => "ENETUNREACH",
        ECONNABORTED => "ECONNABORTED",
        ECONNRESET => "ECONNRESET",
        105 => "ENOBUFS",
        106 => "EISCONN",
        ENOTCONN => "ENOTCONN",
        110 => "ETIMEDOUT",
        111 => "ECONNREFUSED",
        113 => "EHOSTUNREACH",
        EINPROGRESS => "EINPROGRESS",
        _ => $"E{errno}",
    };

    /// <summary>Returns the result; throws if it is negative, with the call and the errno.</summary>
    internal static int Check(int result, string call)
    {
        if (result >= 0)
        {
            return result;
        }

        throw new LabException($"{call}: {Name(Last)}");
    }

    internal static int Check(nint result, string call) => Check((int)result, call);
}
