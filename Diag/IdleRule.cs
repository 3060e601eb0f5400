using TcpCloser.Interop;
using TcpCloser.Rules;

namespace TcpCloser.Diag;

/// <summary>Decides which connections are idle, by the clocks of tcp_info, which are u32 milliseconds.</summary>
internal sealed class IdleRule(Rule rule)
{
    private readonly bool _consultsClocks = rule.ConsultsClocks;
    private readonly IdleBy _idleBy = rule.IdleBy;
    private readonly uint _idleMs = (uint)rule.IdleTime.TotalMilliseconds;
    private readonly uint _limitMs = (uint)rule.LastRecvLimit.TotalMilliseconds;
    private readonly uint _noAckMs = (uint)rule.NoAckFor.TotalMilliseconds;
    private readonly bool _probes = rule.Probe > TimeSpan.Zero;

    /// <summary>Whether <c>--keep</c> or <c>--limit</c> chose the candidates by their ages.</summary>
    public bool ChoosesByAge { get; } = rule.Keep is not null || rule.Limit is not null;

    /// <summary>Whether time can change a judgement. If neither clocks nor probes nor ages decide, it cannot.</summary>
    public bool IsTimely => _consultsClocks || _probes || ChoosesByAge;

    /// <summary>Sets the age and the outcome of the connection.</summary>
    /// <param name="connection">A connection that matched.</param>
    /// <param name="facts">What the kernel reports about it.</param>
    public void Judge(ref Connection connection, in SocketFacts facts)
    {
        // In SYN_SENT the clocks were never set; in LISTEN they are zero.
        bool usable = facts.HasClocks && connection.State is not (TcpState.SynSent or TcpState.Listen);
        connection.IdleMs = usable ? Age(in facts, connection.State) : Connection.UnknownAge;
        connection.IsSending = usable && _idleBy == IdleBy.Recv && facts.LastDataSentMs < _idleMs;
        connection.IsProvenDead = _probes && _noAckMs > 0 && usable && AckProof.Holds(in facts, _noAckMs);
        connection.Outcome = !_consultsClocks ? Outcome.Pending
            : !usable ? Outcome.NoClock
            : connection.IdleMs < _idleMs ? Outcome.Busy
            : _limitMs > 0 && connection.IdleMs >= _limitMs ? Outcome.BeyondLimit
            : _noAckMs > 0 && !_probes && !AckProof.Holds(in facts, _noAckMs) ? Outcome.Unproved
            : Outcome.Pending;
    }

    private uint Age(in SocketFacts facts, byte state)
    {
        // The peer's FIN is activity although it is not data. It moves the clock of acknowledgements.
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
