using System.Buffers.Binary;
using System.Net;

namespace TcpCloser.Tests.Support;

/// <summary>Builds netlink messages of the kernel. <see cref="FakeSocket"/> fills in the sequence number.</summary>
internal static class Netlink
{
    public const ushort Error = 2;
    public const ushort Done = 3;
    public const ushort LegacySocket = 18;
    public const ushort Socket = 20;
    public const ushort Destroy = 21;
    private const ushort Multi = 2;
    private const ushort DumpFlags = 0x300;

    /// <summary>struct nlmsghdr and the payload.</summary>
    public static byte[] Message(ushort type, byte[] payload, ushort flags = Multi, uint sequence = 0) => new Bytes()
        .U32((uint)(16 + payload.Length)) // nlmsg_len
        .U16(type) // nlmsg_type
        .U16(flags) // nlmsg_flags
        .U32(sequence) // nlmsg_seq
        .U32(0xcafe) // nlmsg_pid
        .Add(payload).Pad4().ToArray();

    /// <summary>Whether a request is for a dump.</summary>
    public static bool IsDump(byte[] sent) => (BinaryPrimitives.ReadUInt16LittleEndian(sent.AsSpan(6)) & DumpFlags) != 0;
    public static byte[] DoneMessage(int error = 0) => Message(Done, BitConverter.GetBytes(error));

    /// <summary>struct nlmsgerr with only the header of the failed request, as with NETLINK_CAP_ACK.</summary>
    public static byte[] ErrorMessage(int errno, uint sequence = 0) => Message(Error, new Bytes()
        .U32((uint)-errno) // error
        .U32(72).U16(Socket).U16(0x301).U32(sequence).U32(0) // msg
        .ToArray(), flags: 0x100, sequence);

    /// <summary>struct nlattr and its value.</summary>
    public static byte[] Attribute(ushort type, byte[] value) => new Bytes()
        .U16((ushort)(4 + value.Length)) // nla_len
        .U16(type) // nla_type
        .Add(value).Pad4().ToArray();

    /// <summary>One datagram with these messages.</summary>
    public static byte[] Datagram(params byte[][] messages) => [.. messages.SelectMany(static message => message)];

    /// <summary>RTM_NEWROUTE with struct rtmsg, its destination and its device.</summary>
    public static byte[] Route(byte type, string? destination, byte length, uint device = 1, uint flags = 0, ushort messageFlags = 2)
    {
        byte[] address = destination is null ? [] : IPAddress.Parse(destination).GetAddressBytes();
        var body = new Bytes()
            .U8((byte)(address.Length == 16 ? 10 : 2)).U8(length).U8(0).U8(0) // rtm_family, rtm_dst_len, rtm_src_len, rtm_tos
            .U8(255).U8(2).U8(254).U8(type) // rtm_table, rtm_protocol, rtm_scope, rtm_type
            .U32(flags); // rtm_flags
        if (destination is not null)
        {
            body.Add(Attribute(1, address)); // RTA_DST
        }

        return Message(24, body.Add(Attribute(4, BitConverter.GetBytes(device))).ToArray(), messageFlags); // RTA_OIF
    }
}
