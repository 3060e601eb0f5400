using System.Runtime.InteropServices;
using TcpCloser.Cli;
using TcpCloser.Interop;

namespace TcpCloser.Diag;

/// <summary>Which connections are idle, by the clocks of tcp_info. The kernel's clocks are u32 milliseconds.</summary>
internal sealed class IdleRule(Rule rule)
{
    private readonly bool _consultsClocks = rule.ConsultsClocks;
    private readonly IdleBy _idleBy = rule.IdleBy;
    private readonly uint _idleMs = (uint)rule.IdleTime.TotalMilliseconds;
    private readonly uint _limitMs = (uint)rule.LastRecvLimit.TotalMilliseconds;
    private readonly uint _noAckMs = (uint)rule.NoAckFor.TotalMilliseconds;

    /// <summary>Sets the age and what is to become of the connection.</summary>
    /// <param name="connection">A connection that matched.</param>
    /// <param name="info">The tcp_info that the kernel gave for it; empty: none.</param>
    public void Judge(ref Connection connection, ReadOnlySpan<byte> info)
    {
        // SYN_SENT carries clocks that were never set, LISTEN zeros.
        bool usable = info.Length >= TcpInfo.LastAckRecv + sizeof(uint) && connection.State is not (TcpState.SynSent or TcpState.Listen);
        connection.IdleMs = usable ? Age(info) : Connection.UnknownAge;
        connection.Outcome = !_consultsClocks ? Outcome.Idle
            : !usable ? Outcome.NoClock
            : connection.IdleMs < _idleMs ? Outcome.Busy
            : _limitMs > 0 && connection.IdleMs >= _limitMs ? Outcome.BeyondLimit
            : _noAckMs > 0 && (Field(info, TcpInfo.Unacked) == 0 || Field(info, TcpInfo.LastAckRecv) < _noAckMs) ? Outcome.Unproved
            : Outcome.Idle;
    }

    private uint Age(ReadOnlySpan<byte> info) => _idleBy switch
    {
        IdleBy.Recv => Field(info, TcpInfo.LastDataRecv),
        IdleBy.Send => Field(info, TcpInfo.LastDataSent),
        IdleBy.Both => Math.Min(Field(info, TcpInfo.LastDataRecv), Field(info, TcpInfo.LastDataSent)),
    };

    private static uint Field(ReadOnlySpan<byte> info, int offset) => MemoryMarshal.Read<uint>(info[offset..]);
}
