using System.Runtime.InteropServices;
using System.Text;
using TcpCloser.Interop;
using TcpCloser.Rules;

namespace TcpCloser.Diag;

/// <summary>A netlink socket of the kernel (netlink(7)). It stays in the network namespace that it was opened in.</summary>
internal sealed unsafe class NetlinkSocket : INetlinkSocket
{
    private readonly int _fd;

    /// <param name="protocol">NETLINK_SOCK_DIAG or NETLINK_ROUTE.</param>
    /// <exception cref="SystemCallException">The kernel has no such protocol, or no descriptor is left.</exception>
    public NetlinkSocket(int protocol)
    {
        _fd = Socket.socket(Socket.AF_NETLINK, Socket.SOCK_RAW | Socket.SOCK_CLOEXEC, protocol);
        if (_fd < 0)
        {
            throw new SystemCallException(new Failure(protocol == Netlink.NETLINK_ROUTE ? Operation.ListRoutes : Operation.OpenNetlink, Marshal.GetLastPInvokeError()));
        }

        // Error answers need not contain the request. Kernels before 4.3 do not know the option: their answers are only longer.
        int one = 1;
        _ = Socket.setsockopt(_fd, Socket.SOL_NETLINK, Netlink.NETLINK_CAP_ACK, &one, sizeof(int));

        // The kernel answers while a request is being sent, or never, so a longer wait is useless.
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

    public int Receive(Span<byte> buffer, bool wait, out int length, out uint sender)
    {
        var address = default(SockAddrNl);
        uint addressLength = (uint)sizeof(SockAddrNl);
        fixed (byte* p = buffer)
        {
            while (true)
            {
                length = (int)Socket.recvfrom(
                    _fd, p, (nuint)buffer.Length, Socket.MSG_TRUNC | (wait ? 0 : Socket.MSG_DONTWAIT), &address, &addressLength);
                int errno = length < 0 ? Marshal.GetLastPInvokeError() : 0;
                if (errno != Errno.EINTR)
                {
                    sender = address.PortId;
                    return errno;
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
        return errno == Errno.ENODEV ? 0u : throw new SystemCallException(new Failure(Operation.FindDevice, errno, Escape.Text(name)));
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

/// <summary>A netlink socket. It is an interface so that tests can give answers that no available kernel gives.</summary>
internal interface INetlinkSocket : IDisposable
{
    /// <summary>Sends messages to the kernel, which processes them before this returns.</summary>
    /// <returns>0 or the errno.</returns>
    int Send(ReadOnlySpan<byte> messages);

    /// <summary>Receives one datagram.</summary>
    /// <param name="buffer">Receives the datagram; the part that does not fit is lost.</param>
    /// <param name="wait">Whether to wait up to a second; if no datagram arrives, the result is EAGAIN.</param>
    /// <param name="length">The full length of the datagram, which may exceed the buffer.</param>
    /// <param name="sender">The sender's netlink port id; the kernel is 0.</param>
    /// <returns>0 or the errno.</returns>
    int Receive(Span<byte> buffer, bool wait, out int length, out uint sender);

    /// <summary>The index of a device in the socket's network namespace; 0: no such device.</summary>
    /// <exception cref="Rules.SystemCallException">The index could not be queried.</exception>
    uint DeviceIndex(string name);

    /// <summary>The name of a device in the socket's network namespace; empty: no such device.</summary>
    byte[] DeviceName(uint index);
}
