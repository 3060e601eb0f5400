namespace TcpCloser.Interop;

/// <summary>linux/netlink.h: constants.</summary>
internal static class Netlink
{
    public const int NETLINK_ROUTE = 0;
    public const int NETLINK_SOCK_DIAG = 4;
    public const int NETLINK_CAP_ACK = 10;

    public const ushort NLMSG_ERROR = 2;
    public const ushort NLMSG_DONE = 3;

    public const ushort NLM_F_REQUEST = 0x01;

    /// <summary>
    /// In an answer: the table changed during the dump, which is therefore inconsistent. INET_DIAG never sets it, although its table
    /// changes all the time.
    /// </summary>
    public const ushort NLM_F_DUMP_INTR = 0x10;

    /// <summary>NLM_F_ROOT | NLM_F_MATCH: list all that match.</summary>
    public const ushort NLM_F_DUMP = 0x300;

    /// <summary>A bit of an attribute's type: the attribute contains attributes.</summary>
    public const ushort NLA_F_NESTED = 0x8000;

    /// <summary>NLMSG_ALIGN and NLA_ALIGN: rounds up to a multiple of 4.</summary>
    public static int Align(int length) => (length + 3) & ~3;
}

/// <summary>struct nlmsghdr (linux/netlink.h), 16 bytes, host byte order.</summary>
internal struct NlMsgHdr
{
    /// <summary>The length of the message in bytes, including this header.</summary>
    public uint Length;
    public ushort Type;
    public ushort Flags;
    public uint Sequence;

    /// <summary>The receiver's port id; 0 in a request.</summary>
    public uint PortId;
}

/// <summary>struct nlattr (linux/netlink.h), 4 bytes, host byte order. The length includes this header but not the padding.</summary>
internal struct NlAttr
{
    public ushort Length;
    public ushort Type;
}

/// <summary>struct sockaddr_nl (linux/netlink.h), 12 bytes. Port id 0 is the kernel.</summary>
internal struct SockAddrNl
{
    public ushort Family;
    public ushort Pad;
    public uint PortId;
    public uint Groups;
}
