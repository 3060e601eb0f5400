namespace TcpCloser.Diag;

/// <summary>What the table, <c>-v</c> and records tell of a connection beyond <see cref="Connection"/>.</summary>
internal readonly struct TcpDetail(uint receiveQueue, bool hasClocks, in SocketFacts facts)
{
    /// <summary>Bytes received and not read.</summary>
    public uint ReceiveQueue { get; } = receiveQueue;

    /// <summary>Bytes written and not acknowledged.</summary>
    public uint SendQueue { get; } = facts.WriteQueue;

    /// <summary><see cref="SocketFacts.Unknown"/> where the kernel does not tell.</summary>
    public uint RttMicroseconds { get; } = facts.RttMicroseconds;

    /// <summary>Since data was last received, in milliseconds; <see cref="SocketFacts.Unknown"/> where there is no usable clock. So with those that follow.</summary>
    public uint LastRecvMs { get; } = hasClocks ? facts.LastDataRecvMs : SocketFacts.Unknown;

    /// <summary>Since data was last sent.</summary>
    public uint LastSendMs { get; } = hasClocks ? facts.LastDataSentMs : SocketFacts.Unknown;

    /// <summary>Since an acknowledgement was last received.</summary>
    public uint LastAckMs { get; } = hasClocks ? facts.LastAckRecvMs : SocketFacts.Unknown;

    /// <summary>Bytes that the peer has room for; <see cref="SocketFacts.Unknown"/> where the kernel does not tell.</summary>
    public uint SendWindow { get; } = facts.SendWindow;
}
