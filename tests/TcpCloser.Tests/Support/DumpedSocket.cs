using System.Runtime.InteropServices;

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
    public byte Timer { get; init; } = 0xaa; // idiag_timer: 1 retransmission, 2 keepalive, 4 window probe
    public uint Expires { get; init; } = 0xa0a1a2a3; // idiag_expires, in milliseconds
    public uint WriteQueue { get; init; } = 0xa8a9aaab; // idiag_wqueue
    public uint LastDataRecv { get; init; } = 0x00ababab; // tcpi_last_data_recv
    public uint? LastDataSent { get; init; } // tcpi_last_data_sent; null: filler, as for all nullable fields
    public uint? LastAckRecv { get; init; } // tcpi_last_ack_recv
    public byte? Retransmits { get; init; }
    public byte? Probes { get; init; } = 0; // tcpi_probes: unanswered probes
    public byte? Backoff { get; init; } = 0;
    public uint? Rto { get; init; } = 204_000; // tcpi_rto, in microseconds
    public uint Rtt { get; init; } = 23_000; // tcpi_rtt and tcpi_rttvar, in microseconds
    public uint? RttVar { get; init; }
    public uint? Unacked { get; init; }
    public uint? SegmentsIn { get; init; } // tcpi_segs_in
    public ulong? BytesReceived { get; init; } // tcpi_bytes_received
    public uint? NotSent { get; init; } // tcpi_notsent_bytes
    public ushort? Timeouts { get; init; } // tcpi_total_rto: timeouts since the connection was opened
    public ushort? TimeoutSeries { get; init; } // tcpi_total_rto_recoveries: series of timeouts
    public uint? TimeoutSeriesMs { get; init; } // tcpi_total_rto_time, in milliseconds
    public uint? Mark { get; init; } = 0xf3f2f1f0; // SO_MARK; null: not attached
    public ulong? CgroupId { get; init; } // the id of its cgroup v2; null: not attached
    public bool IsMptcp { get; init; } // whether it is an MPTCP subflow
    public int InfoLength { get; init; } = 280; // the length of tcp_info in this kernel; 0: no INET_DIAG_INFO

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
        Put<byte>(info, 2, Retransmits); // tcpi_retransmits
        Put<byte>(info, 3, Probes); // tcpi_probes
        Put<byte>(info, 4, Backoff); // tcpi_backoff
        Put<uint>(info, 8, Rto); // tcpi_rto
        Put<uint>(info, 24, Unacked); // tcpi_unacked
        Put<uint>(info, 44, LastDataSent); // tcpi_last_data_sent
        Put<uint>(info, 52, LastDataRecv); // tcpi_last_data_recv
        Put<uint>(info, 56, LastAckRecv); // tcpi_last_ack_recv
        Put<uint>(info, 68, Rtt); // tcpi_rtt
        Put<uint>(info, 72, RttVar); // tcpi_rttvar
        Put<ulong>(info, 128, BytesReceived); // tcpi_bytes_received
        Put<uint>(info, 140, SegmentsIn); // tcpi_segs_in
        Put<uint>(info, 144, NotSent); // tcpi_notsent_bytes
        Put<ushort>(info, 240, Timeouts); // tcpi_total_rto
        Put<ushort>(info, 242, TimeoutSeries); // tcpi_total_rto_recoveries
        Put<uint>(info, 244, TimeoutSeriesMs); // tcpi_total_rto_time
        return info[..InfoLength];
    }

    private static unsafe void Put<T>(byte[] info, int offset, T? value) where T : unmanaged
    {
        if (value is { } number && offset + sizeof(T) <= info.Length)
        {
            MemoryMarshal.Write(info.AsSpan(offset), in number);
        }
    }

    public override string ToString() => $"{Family} {State} {Source}:{SourcePort} {Destination}:{DestinationPort} {Cookie:x} {Inode} {Uid}";
}
