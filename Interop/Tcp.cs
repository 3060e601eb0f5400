namespace TcpCloser.Interop;

/// <summary>netinet/tcp.h: socket options (tcp(7)).</summary>
internal static class Tcp
{
    public const int IPPROTO_TCP = 6;

    /// <summary>Seconds of silence before the first probe.</summary>
    public const int TCP_KEEPIDLE = 4;

    /// <summary>Seconds between probes.</summary>
    public const int TCP_KEEPINTVL = 5;

    /// <summary>The number of unanswered probes after which the connection ends.</summary>
    public const int TCP_KEEPCNT = 6;

    public const int TCP_INFO = 11;

    /// <summary>Nonzero while the socket is being checkpointed or restored (linux/tcp.h).</summary>
    public const int TCP_REPAIR = 19;

    /// <summary>Ends a repair and makes the kernel send a window probe, even if the socket was not in repair.</summary>
    public const int TCP_REPAIR_OFF = 0;

    /// <summary>Milliseconds that data or probes may remain unacknowledged; 0: the kernel's own limits.</summary>
    public const int TCP_USER_TIMEOUT = 18;
}

/// <summary>TCP states with the kernel's numbers (net/tcp_states.h).</summary>
internal static class TcpState
{
    public const byte Established = 1;
    public const byte SynSent = 2;
    public const byte SynRecv = 3;
    public const byte FinWait1 = 4;
    public const byte FinWait2 = 5;
    public const byte TimeWait = 6;
    public const byte Close = 7;
    public const byte CloseWait = 8;
    public const byte LastAck = 9;
    public const byte Listen = 10;
    public const byte Closing = 11;

    /// <summary>One past the last state.</summary>
    public const byte Count = 12;
}

/// <summary>
/// Offsets into struct tcp_info (linux/tcp.h), the content of INET_DIAG_INFO. The struct grows with new kernels, so a field is valid
/// only if the attribute is long enough. Times are in milliseconds, the RTT is in microseconds.
/// </summary>
internal static class TcpInfo
{
    /// <summary>The size of a buffer for all fields used here; the kernel fills as much as fits.</summary>
    public const int Size = 280;

    public const int State = 0;
    public const int Retransmits = 2;
    public const int Probes = 3;
    public const int Backoff = 4;
    public const int Rto = 8;
    public const int Unacked = 24;
    public const int LastDataSent = 44;
    public const int LastDataRecv = 52;
    public const int LastAckRecv = 56;
    public const int Rtt = 68;
    public const int Rttvar = 72;
    public const int BytesReceived = 128;
    public const int SegsIn = 140;
    public const int NotSentBytes = 144;
    public const int SndWnd = 228;
    public const int TotalRto = 240;
    public const int TotalRtoRecoveries = 242;
    public const int TotalRtoTime = 244;
}
