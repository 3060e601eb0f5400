namespace TcpCloser.Interop;

/// <summary>struct sockaddr_nl (linux/netlink.h), 12 bytes. Port id 0 is the kernel.</summary>
internal struct SockAddrNl
{
    public ushort Family;
    public ushort Pad;
    public uint PortId;
    public uint Groups;
}
