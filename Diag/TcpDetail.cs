using System.Runtime.InteropServices;
using TcpCloser.Interop;

namespace TcpCloser.Diag;

/// <summary>What <c>-v</c> tells of a connection beyond <see cref="Connection"/>.</summary>
internal readonly struct TcpDetail(uint receiveQueue, uint sendQueue, uint rttMicroseconds, uint sendWindow)
{
    /// <summary>Bytes received and not read.</summary>
    public uint ReceiveQueue { get; } = receiveQueue;

    /// <summary>Bytes written and not acknowledged.</summary>
    public uint SendQueue { get; } = sendQueue;

    public uint RttMicroseconds { get; } = rttMicroseconds;

    /// <summary>Bytes that the peer has room for.</summary>
    public uint SendWindow { get; } = sendWindow;

    /// <summary>A field that the kernel's tcp_info does not have.</summary>
    public const uint Unknown = uint.MaxValue;

    public static TcpDetail From(in InetDiagMsg message, ReadOnlySpan<byte> info) =>
        new(message.IdiagRqueue, message.IdiagWqueue, Field(info, TcpInfo.Rtt), Field(info, TcpInfo.SndWnd));

    private static uint Field(ReadOnlySpan<byte> info, int offset) =>
        info.Length >= offset + sizeof(uint) ? MemoryMarshal.Read<uint>(info[offset..]) : Unknown;
}
