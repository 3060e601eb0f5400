using System.Runtime.CompilerServices;

namespace TcpCloser.Interop;

/// <summary>struct sockaddr_un (sys/un.h), 110 bytes.</summary>
internal struct SockAddrUn
{
    /// <summary>sizeof(sun_path).</summary>
    public const int PathLength = 108;

    public ushort Family;
    public PathBytes Path;

    [InlineArray(PathLength)]
    public struct PathBytes
    {
        private byte _first;
    }
}
