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
    /// <param name="facts">What the kernel tells of it.</param>
    public void Judge(ref Connection connection, in SocketFacts facts)
    {
        // SYN_SENT carries clocks that were never set, LISTEN zeros.
        bool usable = facts.HasClocks && connection.State is not (TcpState.SynSent or TcpState.Listen);
        connection.IdleMs = usable ? Age(in facts, connection.State) : Connection.UnknownAge;
        connection.IsSending = usable && _idleBy == IdleBy.Recv && facts.LastDataSentMs < _idleMs;
        connection.Outcome = !_consultsClocks ? Outcome.Idle
            : !usable ? Outcome.NoClock
            : connection.IdleMs < _idleMs ? Outcome.Busy
            : _limitMs > 0 && connection.IdleMs >= _limitMs ? Outcome.BeyondLimit
            : _noAckMs > 0 && !AckProof.Holds(in facts, _noAckMs) ? Outcome.Unproved
            : Outcome.Idle;
    }

    private uint Age(in SocketFacts facts, byte state)
    {
        // The peer's FIN is news although it is no data. It moves the clock of acknowledgements.
        bool afterFin = state is TcpState.CloseWait or TcpState.LastAck or TcpState.Closing;
        uint received = afterFin ? facts.LastHeardMs : facts.LastDataRecvMs;
        return _idleBy switch
        {
            IdleBy.Recv => received,
            IdleBy.Send => facts.LastDataSentMs,
            IdleBy.Both => Math.Min(received, facts.LastDataSentMs),
        };
    }
}
