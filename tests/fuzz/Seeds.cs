using System.Net;

namespace TcpCloser.Fuzz;

/// <summary>Intact answers of a kernel, as datagrams.</summary>
internal static class Seeds
{
    private static readonly DumpedSocket s_ipv4 = new() { SourcePort = 22, LastDataRecv = 61_000, LastDataSent = 3, LastAckRecv = 3 };

    private static readonly DumpedSocket s_ipv6 = new()
    {
        Family = 10,
        Source = "fe80::1",
        Destination = "fe80::2",
        Interface = 2,
        Cookie = 0x17,
        Mark = 7,
        CgroupId = 4711,
        LastDataRecv = 90_000,
    };

    public static readonly DumpedSocket[] Sockets =
    [
        s_ipv4,
        s_ipv4 with { Cookie = 0x18, State = 2, InfoLength = 232 },
        s_ipv4 with { Cookie = 0x19, State = 6, Inode = 0, Uid = 0, InfoLength = 0, Mark = null },
        s_ipv4 with { Cookie = 0x1a, State = 10, DestinationPort = 0, Destination = "0.0.0.0" },
        s_ipv4 with { Cookie = 0x1b, State = 12, InfoLength = 104 },
        s_ipv4 with { Cookie = 0x1c, IsMptcp = true, Timer = 1, Retransmits = 3, Backoff = 3, Rto = 1_600_000, Unacked = 2 },
        s_ipv6,
        s_ipv6 with { Cookie = 0x1d, State = 8, Timer = 2, Probes = 1 },
        s_ipv6 with { Cookie = 0x1e, Source = "::ffff:10.0.0.1", Destination = "::ffff:10.0.0.2", Interface = 0, IsMptcp = true },
    ];

    /// <summary>Dumps of sockets: two of a real kernel, and two that are built here.</summary>
    public static readonly byte[][][] Dumps =
    [
        [.. new Recording("recorded-legacy").Datagrams],
        [.. new Recording("recorded-inet6").Datagrams],
        [.. Sockets.Chunk(3).Select(static some => Netlink.Datagram([.. some.Select(static socket => socket.Message(Netlink.Socket))])), Netlink.DoneMessage()],
        [Netlink.Datagram([.. Sockets.Select(static socket => socket.Message(Netlink.LegacySocket)), Netlink.DoneMessage()])],
    ];

    public static readonly byte[][] Routes4 =
    [
        Netlink.Datagram(Route(2, "127.0.0.0", 8), Route(2, "10.0.0.1", 32), Route(3, "10.0.0.255", 32), Route(1, "10.0.0.0", 24)),
        Netlink.Datagram(Route(2, "10.64.0.0", 10), Netlink.DoneMessage()),
    ];

    public static readonly byte[][] Routes6 =
    [
        Netlink.Datagram(Route(2, "::1", 128), Route(2, "fd00::1", 128), Route(4, "fd00::", 128), Route(2, "fe80::1", 128)),
        Netlink.Datagram(Route(2, "fd01::", 55), Netlink.DoneMessage()),
    ];

    /// <summary>RTM_NEWROUTE with struct rtmsg, a destination and an interface.</summary>
    public static byte[] Route(byte type, string destination, byte length)
    {
        byte[] address = IPAddress.Parse(destination).GetAddressBytes();
        return Netlink.Message(24, new Bytes()
            .U8((byte)(address.Length == 16 ? 10 : 2)).U8(length).U8(0).U8(0) // rtm_family, rtm_dst_len, rtm_src_len, rtm_tos
            .U8(255).U8(2).U8(254).U8(type) // rtm_table, rtm_protocol, rtm_scope, rtm_type
            .U32(0) // rtm_flags
            .Add(Netlink.Attribute(1, address)) // RTA_DST
            .Add(Netlink.Attribute(4, BitConverter.GetBytes(2))) // RTA_OIF
            .ToArray());
    }
}
