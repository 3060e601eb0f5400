namespace TcpCloser.Interop;

/// <summary>linux/rtnetlink.h: constants (rtnetlink(7)).</summary>
internal static class RtNetlink
{
    public const ushort RTM_NEWROUTE = 24;
    public const ushort RTM_GETROUTE = 26;

    /// <summary>Accept locally.</summary>
    public const byte RTN_LOCAL = 2;

    /// <summary>Accept locally, as an anycast address (IPv6).</summary>
    public const byte RTN_ANYCAST = 4;

    /// <summary>In the flags: a copy that the kernel made of another route.</summary>
    public const uint RTM_F_CLONED = 0x200;

    /// <summary>The destination; absent where its length is 0.</summary>
    public const ushort RTA_DST = 1;

    /// <summary>The index of the device.</summary>
    public const ushort RTA_OIF = 4;
}
