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

    /// <summary>tcpi_last_data_sent; null: filler, as with all that follow.</summary>
    public uint? LastDataSent { get; init; }

    /// <summary>tcpi_last_ack_recv.</summary>
    public uint? LastAckRecv { get; init; }

    public byte? Retransmits { get; init; }

    /// <summary>tcpi_probes: unanswered ones.</summary>
    public byte? Probes { get; init; }

    public byte? Backoff { get; init; }

    /// <summary>tcpi_rto, in microseconds.</summary>
    public uint? Rto { get; init; }

    public uint? Unacked { get; init; }

    public uint? SegmentsOut { get; init; }

    /// <summary>tcpi_notsent_bytes.</summary>
    public uint? NotSent { get; init; }

    /// <summary>SO_MARK; null: the kernel does not tell it.</summary>
    public uint? Mark { get; init; } = 0xf3f2f1f0;

    /// <summary>The id of its cgroup v2; null: the kernel does not tell it.</summary>
    public ulong? CgroupId { get; init; }

    /// <summary>Whether it is a subflow of MPTCP.</summary>
    public bool IsMptcp { get; init; }

    /// <summary>How much of tcp_info the kernel knows; 0: no INET_DIAG_INFO at all.</summary>
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

    /// <summary>What 6.18 attaches, with filler that is never a plausible netlink header.</summary>
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

    /// <summary>struct tcp_info, cut or grown to <see cref="InfoLength"/>.</summary>
    public byte[] Info()
    {
        byte[] info = [.. Enumerable.Repeat((byte)0xee, Math.Max(InfoLength, 56))];
        info[0] = State; // tcpi_state
        BinaryPrimitives.WriteUInt32LittleEndian(info.AsSpan(52), LastDataRecv);
        if (info.Length >= 72)
        {
            BinaryPrimitives.WriteUInt32LittleEndian(info.AsSpan(68), 23_000); // tcpi_rtt
        }

        Put(info, 2, Retransmits); // tcpi_retransmits
        Put(info, 3, Probes); // tcpi_probes
        Put(info, 4, Backoff); // tcpi_backoff
        Put(info, 8, Rto); // tcpi_rto
        Put(info, 24, Unacked); // tcpi_unacked
        Put(info, 44, LastDataSent); // tcpi_last_data_sent
        Put(info, 56, LastAckRecv); // tcpi_last_ack_recv
        Put(info, 136, SegmentsOut); // tcpi_segs_out
        Put(info, 144, NotSent); // tcpi_notsent_bytes
        return info[..InfoLength];
    }

    private static void Put(Span<byte> info, int offset, byte? value)
    {
        if (value is { } number)
        {
            info[offset] = number;
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
