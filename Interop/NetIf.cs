namespace TcpCloser.Interop;

/// <summary>net/if.h.</summary>
internal static class NetIf
{
    /// <summary>The longest device name with its NUL.</summary>
    public const int IFNAMSIZ = 16;
}
