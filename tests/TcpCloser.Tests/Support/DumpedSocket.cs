using System.Buffers.Binary;

namespace TcpCloser.Tests.Support;

/// <summary>A socket in a dump: struct inet_diag_msg and attributes, field by field.</summary>
internal sealed record DumpedSocket
{
    public byte Family { get; init; } = 2;

    public byte State { get; init; } = 1;

    public ushort SourcePort { get; init; } = 22;

    public ushort DestinationPort { get; init; } = 51422;

    public string Source { get; init; } = "10.0.0.1";

    public string Destination { get; init; } = "10.0.0.2";

    public uint Interface { get; init; }

    public ulong Cookie { get; init; } = 0xc0c1c2c3_c4c5c6c7;

    public uint Uid { get; init; } = 0xd0d1d2d3;

    public uint Inode { get; init; } = 0xe0e1e2e3;

    /// <summary>idiag_timer: 1 retransmission, 2 keepalive, 4 window probe.</summary>
    public byte Timer { get; init; } = 0xaa;

    /// <summary>idiag_expires, in milliseconds.</summary>
    public uint Expires { get; init; } = 0xa0a1a2a3;

    /// <summary>idiag_wqueue.</summary>
    public uint WriteQueue { get; init; } = 0xa8a9aaab;

    /// <summary>tcpi_last_data_recv.</summary>
    public uint LastDataRecv { get; init; } = 0x00ababab;

    /// <summary>tcpi_last_data_sent; null: filler, as for all nullable fields.</summary>
    public uint? LastDataSent { get; init; }

    /// <summary>tcpi_last_ack_recv.</summary>
    public uint? LastAckRecv { get; init; }

    public byte? Retransmits { get; init; }

    /// <summary>tcpi_probes: unanswered probes.</summary>
    public byte? Probes { get; init; } = 0;

    public byte? Backoff { get; init; } = 0;

    /// <summary>tcpi_rto, in microseconds.</summary>
    public uint? Rto { get; init; } = 204_000;

    /// <summary>tcpi_rtt and tcpi_rttvar, in microseconds.</summary>
    public uint Rtt { get; init; } = 23_000;

    public uint? RttVar { get; init; }

    public uint? Unacked { get; init; }

    /// <summary>tcpi_segs_in.</summary>
    public uint? SegmentsIn { get; init; }

    /// <summary>tcpi_bytes_received.</summary>
    public ulong? BytesReceived { get; init; }

    /// <summary>tcpi_notsent_bytes.</summary>
    public uint? NotSent { get; init; }

    /// <summary>tcpi_total_rto: timeouts since the connection was opened.</summary>
    public ushort? Timeouts { get; init; }

    /// <summary>tcpi_total_rto_recoveries: series of timeouts.</summary>
    public ushort? TimeoutSeries { get; init; }

    /// <summary>tcpi_total_rto_time, in milliseconds.</summary>
    public uint? TimeoutSeriesMs { get; init; }

    /// <summary>SO_MARK; null: not attached.</summary>
    public uint? Mark { get; init; } = 0xf3f2f1f0;

    /// <summary>The id of its cgroup v2; null: not attached.</summary>
    public ulong? CgroupId { get; init; }

    /// <summary>Whether it is an MPTCP subflow.</summary>
    public bool IsMptcp { get; init; }

    /// <summary>The length of tcp_info in this kernel; 0: no INET_DIAG_INFO.</summary>
    public int InfoLength { get; init; } = 280;

    public byte[] Message(ushort type) => Netlink.Message(type, [.. Body(), .. Attributes()]);

    public byte[] Body() => new Bytes()
        .U8(Family).U8(State).U8(Timer).U8(0xab) // idiag_family, idiag_state, idiag_timer, idiag_retrans
        .Be16(SourcePort).Be16(DestinationPort).Address(Source).Address(Destination) // idiag_sport, idiag_dport, idiag_src, idiag_dst
        .U32(Interface).U32((uint)Cookie).U32((uint)(Cookie >> 32)) // idiag_if, idiag_cookie[2]
        .U32(Expires) // idiag_expires
        .U32(0xa4a5a6a7).U32(WriteQueue) // idiag_rqueue, idiag_wqueue
        .U32(Uid).U32(Inode) // idiag_uid, idiag_inode
        .ToArray();

    /// <summary>The attributes of Linux 6.18, with filler that cannot be taken for a netlink header.</summary>
    public byte[] Attributes()
    {
        var attributes = new Bytes().Add(Netlink.Attribute(8, [0])).Add(Netlink.Attribute(22, [0xaa, 0xbb]));
        if (InfoLength > 0)
        {
            attributes.Add(Netlink.Attribute(2, Info()));
        }

        if (Mark is { } mark)
        {
            attributes.Add(Netlink.Attribute(15, BitConverter.GetBytes(mark)));
        }

        if (IsMptcp)
        {
            attributes.Add(Netlink.Attribute(19 | 0x8000, Netlink.Attribute(1, "mptcp\0"u8.ToArray())));
        }

        if (CgroupId is { } id)
        {
            attributes.Add(Netlink.Attribute(21, BitConverter.GetBytes(id)));
        }

        return attributes.ToArray();
    }

    /// <summary>struct tcp_info, cut or extended to <see cref="InfoLength"/>.</summary>
    public byte[] Info()
    {
        byte[] info = [.. Enumerable.Repeat((byte)0xee, Math.Max(InfoLength, 56))];
        info[0] = State; // tcpi_state
        BinaryPrimitives.WriteUInt32LittleEndian(info.AsSpan(52), LastDataRecv);
        if (info.Length >= 72)
        {
            BinaryPrimitives.WriteUInt32LittleEndian(info.AsSpan(68), Rtt); // tcpi_rtt
        }

        Put(info, 2, Retransmits); // tcpi_retransmits
        Put(info, 3, Probes); // tcpi_probes
        Put(info, 4, Backoff); // tcpi_backoff
        Put(info, 8, Rto); // tcpi_rto
        Put(info, 72, RttVar); // tcpi_rttvar
        Put(info, 24, Unacked); // tcpi_unacked
        Put(info, 44, LastDataSent); // tcpi_last_data_sent
        Put(info, 56, LastAckRecv); // tcpi_last_ack_recv
        Put(info, 140, SegmentsIn); // tcpi_segs_in
        if (BytesReceived is { } bytes && info.Length >= 136)
        {
            BinaryPrimitives.WriteUInt64LittleEndian(info.AsSpan(128), bytes); // tcpi_bytes_received
        }

        Put(info, 144, NotSent); // tcpi_notsent_bytes
        Put(info, 240, Timeouts); // tcpi_total_rto
        Put(info, 242, TimeoutSeries); // tcpi_total_rto_recoveries
        Put(info, 244, TimeoutSeriesMs); // tcpi_total_rto_time
        return info[..InfoLength];
    }

    private static void Put(Span<byte> info, int offset, byte? value)
    {
        if (value is { } number)
        {
            info[offset] = number;
        }
    }

    private static void Put(Span<byte> info, int offset, ushort? value)
    {
        if (value is { } number && offset + sizeof(ushort) <= info.Length)
        {
            BinaryPrimitives.WriteUInt16LittleEndian(info[offset..], number);
        }
    }

    private static void Put(Span<byte> info, int offset, uint? value)
    {
        if (value is { } number && offset + sizeof(uint) <= info.Length)
        {
            BinaryPrimitives.WriteUInt32LittleEndian(info[offset..], number);
        }
    }

    public override string ToString() => $"{Family} {State} {Source}:{SourcePort} {Destination}:{DestinationPort} {Cookie:x} {Inode} {Uid}";
}
