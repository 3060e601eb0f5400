namespace TcpCloser.Interop;

/// <summary>linux/rtnetlink.h: constants (rtnetlink(7)).</summary>
internal static class RtNetlink
{
    public const ushort RTM_NEWROUTE = 24;
    public const ushort RTM_GETROUTE = 26;

    /// <summary>A route type: accept locally.</summary>
    public const byte RTN_LOCAL = 2;

    /// <summary>A route type: accept locally as an anycast address (IPv6).</summary>
    public const byte RTN_ANYCAST = 4;

    /// <summary>A flag: the kernel cloned the route from another one.</summary>
    public const uint RTM_F_CLONED = 0x200;

    /// <summary>An attribute: the destination. Absent if its length is 0.</summary>
    public const ushort RTA_DST = 1;

    /// <summary>An attribute: the index of the device.</summary>
    public const ushort RTA_OIF = 4;
}

/// <summary>struct rtmsg (linux/rtnetlink.h), 12 bytes, host byte order.</summary>
internal struct RtMsg
{
    public byte Family;

    /// <summary>The number of significant bits of the destination.</summary>
    public byte DestinationLength;
    public byte SourceLength;
    public byte Tos;
    public byte Table;
    public byte Protocol;
    public byte Scope;

    /// <summary>RTN_UNICAST, RTN_LOCAL, …</summary>
    public byte Type;
    public uint Flags;
}
