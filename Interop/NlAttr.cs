namespace TcpCloser.Interop;

/// <summary>struct nlattr (linux/netlink.h), 4 bytes, host byte order; the length counts this header, not the padding.</summary>
internal struct NlAttr
{
    public ushort Length;
    public ushort Type;
}
