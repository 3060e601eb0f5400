using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using TcpCloser.Interop;

namespace TcpCloser.Diag;

/// <summary>
/// What the kernel reports about the activity of a socket: its timer, its queues, and tcp_info. Times are in milliseconds.
/// </summary>
internal readonly ref struct SocketFacts
{
    /// <summary>The value of a field that the kernel's tcp_info does not have.</summary>
    public const uint Unknown = uint.MaxValue;

    /// <summary>The value of <see cref="Timer"/> while the keepalive timer runs.</summary>
    public const byte KeepaliveTimer = 2;

    /// <summary>TCP_RTO_MIN.</summary>
    private const uint MinTimeoutMs = 200;

    private readonly ReadOnlySpan<byte> _info;

    public SocketFacts(ref readonly InetDiagMsg message, ReadOnlySpan<byte> info)
    {
        _info = info;
        Timer = message.IdiagTimer;
        ExpiresMs = message.IdiagExpires;
        ReceiveQueue = message.IdiagRqueue;
        WriteQueue = message.IdiagWqueue;
    }

    /// <summary>The facts of a fetched socket. Its timer is missing: getsockopt(2) does not report it.</summary>
    public SocketFacts(ReadOnlySpan<byte> info) => _info = info;

    /// <summary>Which timer runs: 1 retransmission, 2 keepalive, 4 window probe (linux/inet_diag.h, idiag_timer).</summary>
    public byte Timer { get; }

    /// <summary>The time until it fires.</summary>
    public uint ExpiresMs { get; }

    /// <summary>Bytes received and not read.</summary>
    public uint ReceiveQueue { get; }

    /// <summary>Bytes written and not acknowledged.</summary>
    public uint WriteQueue { get; }

    /// <summary>Whether tcp_info has the clocks.</summary>
    public bool HasClocks => _info.Length >= TcpInfo.LastAckRecv + sizeof(uint);

    public byte State => Byte(TcpInfo.State);

    public byte Retransmits => Byte(TcpInfo.Retransmits);

    /// <summary>Unanswered keepalive or window probes.</summary>
    public byte Probes => Byte(TcpInfo.Probes);

    public byte Backoff => Byte(TcpInfo.Backoff);

    /// <summary>The current retransmission timeout, in milliseconds.</summary>
    public uint RtoMs => Field(TcpInfo.Rto) / 1000;

    /// <summary>Segments in flight.</summary>
    public uint Unacked => Field(TcpInfo.Unacked);

    /// <summary>Bytes not yet sent; <see cref="Unknown"/> before Linux 4.6.</summary>
    public uint NotSent => Field(TcpInfo.NotSentBytes);

    public uint LastDataSentMs => Field(TcpInfo.LastDataSent);

    public uint LastDataRecvMs => Field(TcpInfo.LastDataRecv);

    public uint LastAckRecvMs => Field(TcpInfo.LastAckRecv);

    /// <summary>How long ago anything was received, data or acknowledgement.</summary>
    public uint LastHeardMs => Math.Min(LastDataRecvMs, LastAckRecvMs);

    /// <summary>Segments received, of any kind (Linux 4.2).</summary>
    public uint SegmentsIn => Field(TcpInfo.SegsIn);

    /// <summary>Bytes received; a FIN counts as one.</summary>
    public ulong BytesReceived => _info.Length >= TcpInfo.BytesReceived + sizeof(ulong) ? MemoryMarshal.Read<ulong>(_info[TcpInfo.BytesReceived..]) : 0;

    /// <summary>
    /// How long an answer may take on this path, in milliseconds: the retransmission timeout, without the backoff of data that is being
    /// retransmitted (RFC 6298, tcp_set_rto).
    /// </summary>
    public uint PathTimeoutMs => Backoff == 0
        ? RtoMs
        : RttMicroseconds / 1000 + Math.Max(4 * (Field(TcpInfo.Rttvar) / 1000), MinTimeoutMs);

    public uint RttMicroseconds => Field(TcpInfo.Rtt);

    public uint SendWindow => Field(TcpInfo.SndWnd);

    /// <summary>
    /// Retransmission timeouts in the connection's life, those of SYN and SYN-ACK included; <see cref="Unknown"/> before Linux 6.7.
    /// </summary>
    public uint Timeouts => ShortField(TcpInfo.TotalRto);

    /// <summary>
    /// Series of timeouts without an acknowledgement in between, the present one included; <see cref="Unknown"/> before Linux 6.7.
    /// </summary>
    public uint TimeoutSeries => ShortField(TcpInfo.TotalRtoRecoveries);

    /// <summary>
    /// The time from the first timeout of each series to its recovery, summed up; <see cref="Unknown"/> before Linux 6.7.
    /// </summary>
    public uint TimeoutSeriesMs => Field(TcpInfo.TotalRtoTime);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private uint Field(int offset) => _info.Length >= offset + sizeof(uint) ? MemoryMarshal.Read<uint>(_info[offset..]) : Unknown;

    private uint ShortField(int offset) => _info.Length >= offset + sizeof(ushort) ? MemoryMarshal.Read<ushort>(_info[offset..]) : Unknown;

    private byte Byte(int offset) => _info.Length > offset ? _info[offset] : (byte)0;
}

/// <summary>What the dry run's table, <c>-v</c> and records report of a connection in addition to <see cref="Connection"/>.</summary>
internal readonly struct TcpDetail(bool hasClocks, in SocketFacts facts)
{
    /// <summary>Bytes received and not read.</summary>
    public uint ReceiveQueue { get; } = facts.ReceiveQueue;

    /// <summary>Bytes written and not acknowledged.</summary>
    public uint SendQueue { get; } = facts.WriteQueue;

    /// <summary><see cref="SocketFacts.Unknown"/>: the kernel does not report it.</summary>
    public uint RttMicroseconds { get; } = facts.RttMicroseconds;

    /// <summary>
    /// Time since data was last received, in milliseconds; <see cref="SocketFacts.Unknown"/>: there is no usable clock. The same applies
    /// to the following times.
    /// </summary>
    public uint LastRecvMs { get; } = hasClocks ? facts.LastDataRecvMs : SocketFacts.Unknown;

    /// <summary>Time since data was last sent.</summary>
    public uint LastSendMs { get; } = hasClocks ? facts.LastDataSentMs : SocketFacts.Unknown;

    /// <summary>Time since an acknowledgement was last received.</summary>
    public uint LastAckMs { get; } = hasClocks ? facts.LastAckRecvMs : SocketFacts.Unknown;

    /// <summary>The peer's receive window in bytes; <see cref="SocketFacts.Unknown"/>: the kernel does not report it.</summary>
    public uint SendWindow { get; } = facts.SendWindow;
}

/// <summary>The attributes of a socket in a dump, read in one pass.</summary>
internal readonly ref struct SocketAttributes
{
    /// <summary>tcp_info, in this kernel's length; empty: none.</summary>
    public readonly ReadOnlySpan<byte> Info;

    /// <summary>SO_MARK; null: not reported.</summary>
    public readonly uint? Mark;

    /// <summary>The id of its cgroup v2; null: not reported.</summary>
    public readonly ulong? CgroupId;

    /// <summary>Whether it is a subflow of an MPTCP connection.</summary>
    public readonly bool IsMptcp;

    public SocketAttributes(ReadOnlySpan<byte> attributes)
    {
        var walk = new NetlinkAttributes(attributes);
        while (walk.Next())
        {
            ReadOnlySpan<byte> value = walk.Value;
            switch (walk.Type)
            {
                case SockDiag.INET_DIAG_INFO:
                    Info = value;
                    break;
                case SockDiag.INET_DIAG_MARK when value.Length >= sizeof(uint):
                    Mark = MemoryMarshal.Read<uint>(value);
                    break;
                case SockDiag.INET_DIAG_CGROUP_ID when value.Length >= sizeof(ulong):
                    CgroupId = MemoryMarshal.Read<ulong>(value);
                    break;
                case SockDiag.INET_DIAG_ULP_INFO:
                    IsMptcp = IsNamedMptcp(value);
                    break;
            }
        }
    }

    private static bool IsNamedMptcp(ReadOnlySpan<byte> nested) =>
        nested.Length > Unsafe.SizeOf<NlAttr>()
        && MemoryMarshal.Read<NlAttr>(nested).Type == SockDiag.INET_ULP_INFO_NAME
        && nested[Unsafe.SizeOf<NlAttr>()..].StartsWith("mptcp"u8);
}
