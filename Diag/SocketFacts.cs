using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using TcpCloser.Interop;

namespace TcpCloser.Diag;

/// <summary>What the kernel tells of the life of a socket: its timer, its queue, and tcp_info. Times in milliseconds.</summary>
internal readonly ref struct SocketFacts
{
    /// <summary>A field that the kernel's tcp_info does not have.</summary>
    public const uint Unknown = uint.MaxValue;

    /// <summary>What <see cref="Timer"/> is where the keepalive timer runs.</summary>
    public const byte KeepaliveTimer = 2;

    private readonly ReadOnlySpan<byte> _info;

    public SocketFacts(ref readonly InetDiagMsg message, ReadOnlySpan<byte> info)
    {
        _info = info;
        Timer = message.IdiagTimer;
        ExpiresMs = message.IdiagExpires;
        WriteQueue = message.IdiagWqueue;
    }

    /// <summary>Of a fetched socket, whose timer getsockopt(2) does not tell.</summary>
    public SocketFacts(ReadOnlySpan<byte> info) => _info = info;

    /// <summary>Which timer runs: 1 retransmission, 2 keepalive, 4 window probe (linux/inet_diag.h, idiag_timer).</summary>
    public byte Timer { get; }

    /// <summary>When it fires.</summary>
    public uint ExpiresMs { get; }

    /// <summary>Bytes written and not acknowledged.</summary>
    public uint WriteQueue { get; }

    /// <summary>Whether there are clocks at all.</summary>
    public bool HasClocks => _info.Length >= TcpInfo.LastAckRecv + sizeof(uint);

    public byte State => Byte(TcpInfo.State);

    public byte Retransmits => Byte(TcpInfo.Retransmits);

    /// <summary>Keepalive or window probes that were not answered.</summary>
    public byte Probes => Byte(TcpInfo.Probes);

    public byte Backoff => Byte(TcpInfo.Backoff);

    /// <summary>The retransmission timeout as it stands, in milliseconds.</summary>
    public uint RtoMs => Field(TcpInfo.Rto) / 1000;

    /// <summary>Segments in flight.</summary>
    public uint Unacked => Field(TcpInfo.Unacked);

    /// <summary>Bytes that were not sent yet; <see cref="Unknown"/> before Linux 4.6.</summary>
    public uint NotSent => Field(TcpInfo.NotSentBytes);

    public uint LastDataSentMs => Field(TcpInfo.LastDataSent);

    public uint LastDataRecvMs => Field(TcpInfo.LastDataRecv);

    public uint LastAckRecvMs => Field(TcpInfo.LastAckRecv);

    /// <summary>How long ago anything was received, data or acknowledgement.</summary>
    public uint LastHeardMs => Math.Min(LastDataRecvMs, LastAckRecvMs);

    public uint SegmentsOut => Field(TcpInfo.SegsOut);

    public uint RttMicroseconds => Field(TcpInfo.Rtt);

    public uint SendWindow => Field(TcpInfo.SndWnd);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private uint Field(int offset) => _info.Length >= offset + sizeof(uint) ? MemoryMarshal.Read<uint>(_info[offset..]) : Unknown;

    private byte Byte(int offset) => _info.Length > offset ? _info[offset] : (byte)0;
}
