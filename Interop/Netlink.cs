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

    /// <summary>In an answer: the table changed while it was walked, the dump is a mixture.</summary>
    public const ushort NLM_F_DUMP_INTR = 0x10;

    /// <summary>NLM_F_ROOT | NLM_F_MATCH: list everything that matches.</summary>
    public const ushort NLM_F_DUMP = 0x300;

    /// <summary>A bit of an attribute type: attributes are nested in it.</summary>
    public const ushort NLA_F_NESTED = 0x8000;

    /// <summary>NLMSG_ALIGN and NLA_ALIGN: both round up to 4.</summary>
    public static int Align(int length) => (length + 3) & ~3;
}
