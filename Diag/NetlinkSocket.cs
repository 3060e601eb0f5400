using System.Runtime.InteropServices;
using System.Text;
using TcpCloser.Cli;
using TcpCloser.Interop;

namespace TcpCloser.Diag;

/// <summary>The kernel's own netlink socket (netlink(7)). It stays in the network namespace it was opened in.</summary>
internal sealed unsafe class NetlinkSocket : INetlinkSocket
{
    private readonly int _fd;

    /// <param name="protocol">NETLINK_SOCK_DIAG or NETLINK_ROUTE.</param>
    /// <exception cref="SystemCallException">No netlink, no descriptors left.</exception>
    public NetlinkSocket(int protocol)
    {
        _fd = Socket.socket(Socket.AF_NETLINK, Socket.SOCK_RAW | Socket.SOCK_CLOEXEC, protocol);
        if (_fd < 0)
        {
            throw new SystemCallException(protocol == Netlink.NETLINK_ROUTE ? Operation.ListRoutes : Operation.OpenNetlink, Marshal.GetLastPInvokeError());
        }

        // An error answer need not carry the request back; kernels before 4.3 do not know the option, which does no harm.
        int one = 1;
        _ = Socket.setsockopt(_fd, Socket.SOL_NETLINK, Netlink.NETLINK_CAP_ACK, &one, sizeof(int));

        // The kernel answers while a request is sent, or never. Longer than this it is not waited for.
        var oneSecond = new TimeVal { Seconds = 1 };
        _ = Socket.setsockopt(_fd, Socket.SOL_SOCKET, Socket.SO_RCVTIMEO, &oneSecond, (uint)sizeof(TimeVal));
    }

    public int Send(ReadOnlySpan<byte> messages)
    {
        fixed (byte* p = messages)
        {
            while (true)
            {
                nint sent = Socket.send(_fd, p, (nuint)messages.Length, 0);
                if (sent >= 0)
                {
                    return 0;
                }

                int errno = Marshal.GetLastPInvokeError();
                if (errno != Errno.EINTR)
                {
                    return errno;
                }
            }
        }
    }

    public int Receive(Span<byte> buffer, bool wait, out uint sender)
    {
        var address = default(SockAddrNl);
        uint addressLength = (uint)sizeof(SockAddrNl);
        fixed (byte* p = buffer)
        {
            while (true)
            {
                nint length = Socket.recvfrom(
                    _fd, p, (nuint)buffer.Length, Socket.MSG_TRUNC | (wait ? 0 : Socket.MSG_DONTWAIT), &address, &addressLength);
                int errno = length < 0 ? Marshal.GetLastPInvokeError() : 0;
                if (errno != Errno.EINTR)
                {
                    sender = address.PortId;
                    return errno == 0 ? (int)length : -errno;
                }
            }
        }
    }

    public uint DeviceIndex(string name)
    {
        var request = default(IfReq);
        Encoding.UTF8.GetBytes(name, new Span<byte>(request.Name, NetIf.IFNAMSIZ - 1));
        if (Ioctl.ioctl(_fd, Ioctl.SIOCGIFINDEX, &request) == 0)
        {
            return (uint)request.Index;
        }

        int errno = Marshal.GetLastPInvokeError();
        return errno == Errno.ENODEV ? 0u : throw new SystemCallException(Operation.FindDevice, errno, Escape.Text(name));
    }

    public byte[] DeviceName(uint index)
    {
        var request = new IfReq { Index = (int)index };
        return Ioctl.ioctl(_fd, Ioctl.SIOCGIFNAME, &request) == 0
            ? MemoryMarshal.CreateReadOnlySpanFromNullTerminated(request.Name).ToArray()
            : [];
    }

    public void Dispose() => _ = Unistd.close(_fd);
}
