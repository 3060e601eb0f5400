namespace TcpCloser.Interop;

/// <summary>struct nlmsghdr (linux/netlink.h), 16 bytes, host byte order.</summary>
internal struct NlMsgHdr
{
    /// <summary>Length of the message with this header, in bytes.</summary>
    public uint Length;
    public ushort Type;
    public ushort Flags;
    public uint Sequence;

    /// <summary>The receiver's port id; in a request 0.</summary>
    public uint PortId;
}
