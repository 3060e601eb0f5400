using System.Text;
using TcpCloser.Interop;

namespace TcpCloser.Report;

/// <summary>The socket on which a service manager hears from its services (sd_notify(3)).</summary>
internal sealed unsafe class NotifySocket : IDisposable
{
    private readonly int _fd;
    private readonly SockAddrUn _address;
    private readonly uint _addressLength;

    /// <param name="name">A path, or <c>@name</c> of the abstract namespace (unix(7)).</param>
    public NotifySocket(string name)
    {
        byte[] path = Encoding.UTF8.GetBytes(name);
        Span<byte> room = _address.Path;
        if (path.Length is 0 or > SockAddrUn.PathLength || path[0] is not ((byte)'/' or (byte)'@'))
        {
            _fd = -1;
            return;
        }

        _address.Family = Socket.AF_UNIX;
        path.CopyTo(room);
        room[0] = path[0] == '@' ? (byte)0 : path[0];
        _addressLength = (uint)(sizeof(ushort) + path.Length);
        _fd = Socket.socket(Socket.AF_UNIX, Socket.SOCK_DGRAM | Socket.SOCK_CLOEXEC | Socket.SOCK_NONBLOCK, 0);
    }

    /// <summary>Sends one datagram, without waiting. Returns whether it went out.</summary>
    public bool Send(ReadOnlySpan<byte> text)
    {
        fixed (byte* p = text)
        fixed (SockAddrUn* address = &_address)
        {
            return Socket.sendto(_fd, p, (nuint)text.Length, Socket.MSG_NOSIGNAL, address, _addressLength) >= 0;
        }
    }

    public void Dispose() => _ = Unistd.close(_fd);
}
