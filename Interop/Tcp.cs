namespace TcpCloser.Interop;

/// <summary>netinet/tcp.h: socket options (tcp(7)).</summary>
internal static class Tcp
{
    public const int IPPROTO_TCP = 6;

    /// <summary>Seconds without anything received before the first probe.</summary>
    public const int TCP_KEEPIDLE = 4;

    /// <summary>Seconds between probes.</summary>
    public const int TCP_KEEPINTVL = 5;

    /// <summary>Unanswered probes that end the connection.</summary>
    public const int TCP_KEEPCNT = 6;

    public const int TCP_INFO = 11;

    /// <summary>Milliseconds that data or probes may stay unanswered; 0: the kernel's own limits.</summary>
    public const int TCP_USER_TIMEOUT = 18;
}
