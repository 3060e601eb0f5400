using TcpCloser.Interop;

namespace TcpCloser.Rules;

/// <summary>TCP states with the names of ss(8), and sets of states as the mask of INET_DIAG: bit <c>1 &lt;&lt; state</c>.</summary>
internal static class StateSet
{
    /// <summary>All states of a socket.</summary>
    public const uint All = (1u << TcpState.Count) - 2;

    public const uint Listen = 1u << TcpState.Listen;

    /// <summary>All states but LISTEN.</summary>
    public const uint EveryConnection = All & ~Listen;

    /// <summary>
    /// The states that <c>--group-by</c> counts by default: neither listeners nor TIME_WAIT, in which no process holds the connection any
    /// more.
    /// </summary>
    public const uint Counted = EveryConnection & ~(1u << TcpState.TimeWait);

    private const uint AfterClose = 1u << TcpState.CloseWait | 1u << TcpState.FinWait1 | 1u << TcpState.FinWait2 | 1u << TcpState.LastAck
        | 1u << TcpState.Closing | 1u << TcpState.TimeWait;

    /// <summary>The name of a state, by the kernel's number.</summary>
    public static ReadOnlySpan<byte> Name(byte state) => state switch
    {
        TcpState.Established => "established"u8,
        TcpState.SynSent => "syn-sent"u8,
        TcpState.SynRecv => "syn-recv"u8,
        TcpState.FinWait1 => "fin-wait-1"u8,
        TcpState.FinWait2 => "fin-wait-2"u8,
        TcpState.TimeWait => "time-wait"u8,
        TcpState.Close => "closed"u8,
        TcpState.CloseWait => "close-wait"u8,
        TcpState.LastAck => "last-ack"u8,
        TcpState.Listen => "listen"u8,
        TcpState.Closing => "closing"u8,
        _ => "unknown"u8,
    };

    /// <summary>Whether a connection can be in each of the states only after at least one side has closed it.</summary>
    public static bool AreAfterClose(uint states) => (states & ~AfterClose) == 0;
}
