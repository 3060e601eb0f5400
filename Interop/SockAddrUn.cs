using System.Runtime.CompilerServices;

namespace TcpCloser.Interop;

/// <summary>struct sockaddr_un (sys/un.h), 110 bytes.</summary>
internal struct SockAddrUn
{
    public ushort Family;
    public PathBytes Path;

    [InlineArray(108)]
    public struct PathBytes
    {
        private byte _first;
    }
}
