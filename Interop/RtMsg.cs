namespace TcpCloser.Interop;

/// <summary>struct rtmsg (linux/rtnetlink.h), 12 bytes, host byte order.</summary>
internal struct RtMsg
{
    public byte Family;

    /// <summary>How many bits of the destination count.</summary>
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
