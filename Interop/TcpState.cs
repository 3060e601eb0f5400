namespace TcpCloser.Interop;

/// <summary>TCP states as the kernel numbers them (net/tcp_states.h).</summary>
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

    /// <summary>One past the last state that a request can name.</summary>
    public const byte Count = 12;
}
