namespace TcpCloser.Interop;

/// <summary>
/// Offsets into struct tcp_info (linux/tcp.h) as INET_DIAG_INFO carries it. The struct only ever grows: a kernel sends as
/// much as it knows, so a field counts only where the attribute is long enough. Times in milliseconds, RTT in microseconds.
/// </summary>
internal static class TcpInfo
{
    /// <summary>The longest that is of use here; the kernel fills as much as it has room for.</summary>
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
    public const int SegsOut = 136;
    public const int NotSentBytes = 144;
    public const int SndWnd = 228;
}
