namespace TcpCloser.Diag;

/// <summary>What <c>-v</c> and records tell of a connection beyond <see cref="Connection"/>.</summary>
internal readonly struct TcpDetail(uint receiveQueue, in SocketFacts facts)
{
    /// <summary>Bytes received and not read.</summary>
    public uint ReceiveQueue { get; } = receiveQueue;

    /// <summary>Bytes written and not acknowledged.</summary>
    public uint SendQueue { get; } = facts.WriteQueue;

    /// <summary><see cref="SocketFacts.Unknown"/> where the kernel does not tell.</summary>
    public uint RttMicroseconds { get; } = facts.RttMicroseconds;

    /// <summary>Bytes that the peer has room for; <see cref="SocketFacts.Unknown"/> where the kernel does not tell.</summary>
    public uint SendWindow { get; } = facts.SendWindow;
}
