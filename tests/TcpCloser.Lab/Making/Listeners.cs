namespace TcpCloser.Lab.Making;

/// <summary>
/// The listening sockets, one per port unless more are requested. Accepted sockets inherit buffer sizes, mark and
/// device.
/// </summary>
internal static unsafe class Listeners
{
    /// <summary>The kernel's minimum buffer size, with which a writer blocks after a few kilobytes.</summary>
    internal const int SmallBuffer = 2304;

    private const int Backlog = 4096; // net.core.somaxconn of a new namespace

    internal static int[] Open(LabOptions options)
    {
        int[] listeners = new int[options.Ports * options.Listeners];
        for (int i = 0; i < listeners.Length; i++)
        {
            listeners[i] = OpenOne(options, options.PortOf(i));
        }

        return listeners;
    }

    /// <summary>Sets the options that a socket needs before it connects or accepts.</summary>
    internal static void SetCommonOptions(int fd, LabOptions options)
    {
        if (options.Mark != 0)
        {
            Tcp.SetOption(fd, Posix.SOL_SOCKET, Posix.SO_MARK, options.Mark, "SO_MARK");
        }

        if (options.BindDevice.Length > 0)
        {
            BindDevice(fd, options.BindDevice);
        }
    }

    internal static void BindDevice(int fd, string name)
    {
        byte[] text = Encoding.ASCII.GetBytes(name + "\0");
        fixed (byte* device = text)
        {
            Errno.Check(Libc.SetSockOpt(fd, Posix.SOL_SOCKET, Posix.SO_BINDTODEVICE, device, (uint)text.Length), "SO_BINDTODEVICE");
        }
    }

    internal static int OpenSocket(bool v6, bool mptcp, int flags)
        => Errno.Check(
            Libc.Socket(
                v6 ? Posix.AF_INET6 : Posix.AF_INET,
                Posix.SOCK_STREAM | Posix.SOCK_CLOEXEC | flags,
                mptcp ? Posix.IPPROTO_MPTCP : Posix.IPPROTO_TCP),
            mptcp ? "socket IPPROTO_MPTCP" : "socket");

    private static int OpenOne(LabOptions options, int port)
    {
        int fd = OpenSocket(options.ServerIsV6, options.Mptcp, Posix.SOCK_NONBLOCK);
        Tcp.SetOption(fd, Posix.SOL_SOCKET, Posix.SO_REUSEADDR, 1, "SO_REUSEADDR");
        if (options.Listeners > 1)
        {
            Tcp.SetOption(fd, Posix.SOL_SOCKET, Posix.SO_REUSEPORT, 1, "SO_REUSEPORT");
        }

        if (options.ServerIsV6)
        {
            Tcp.SetOption(fd, Posix.SOL_IPV6, Posix.IPV6_V6ONLY, options.SpeaksV4 ? 0 : 1, "IPV6_V6ONLY");
        }

        if (options.Unsent > 0)
        {
            Tcp.SetOption(fd, Posix.SOL_SOCKET, Posix.SO_SNDBUF, options.Unsent * 2, "SO_SNDBUF");
        }
        else if (options.FillsServer)
        {
            Tcp.SetOption(fd, Posix.SOL_SOCKET, Posix.SO_SNDBUF, SmallBuffer, "SO_SNDBUF");
        }

        SetCommonOptions(fd, options);
        // A dual-stack service listens on the unspecified address, unless an address was given.
        bool any = options is { ServerIsV6: true, SpeaksV4: true, Address: "" };
        var address = SockAddress.For(options.ServerIsV6, any ? IPAddress.IPv6Any : options.ServerAddress, port);
        Errno.Check(Libc.Bind(fd, &address, address.Length), $"bind port {port}");
        Errno.Check(Libc.Listen(fd, Backlog), "listen");
        return fd;
    }
}
