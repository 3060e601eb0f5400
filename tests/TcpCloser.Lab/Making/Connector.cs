namespace TcpCloser.Lab.Making;

/// <summary>Creates connections: the client's socket, connect, accept, and the match of accepted sockets to clients.</summary>
internal sealed unsafe class Connector(LabOptions options, int[] listeners)
{
    /// <summary>
    /// The maximum number of connections from one address to one port. There are 28,232 ephemeral ports, but the kernel tries the
    /// even half first: beyond about 14,000 each connect would search through all of these.
    /// </summary>
    private const int PerSourceAddress = 12_000;

    private readonly HashSet<IPAddress> _added = [];
    /// <summary>The address of the first of two twins, which the second also gets.</summary>
    private SockAddress _twin;

    /// <summary>Creates the connections with the indexes first … first + count - 1.</summary>
    internal List<Pair> Create(int first, int count)
    {
        List<Pair> pairs = new(count);
        for (int index = first; index < first + count; index++)
        {
            pairs.Add(Connect(index));
        }

        if (options.State is not ("syn-sent" or "syn-recv" or "unaccepted" or "listen"))
        {
            Accept(pairs);
        }

        return pairs;
    }

    internal SockAddress Target(int index) => SockAddress.For(options.ClientIsV6, options.ServerAddress, options.PortOf(index));

    private Pair Connect(int index)
    {
        // If the handshake is never to complete, connect() must not wait for it.
        bool waits = options.State is not ("syn-sent" or "syn-recv");
        bool connectsLater = options.Blocked == "connect";
        int fd = Listeners.OpenSocket(options.ClientIsV6, options.Mptcp, waits || connectsLater ? 0 : Posix.SOCK_NONBLOCK);
        Listeners.SetCommonOptions(fd, options);
        if (options.FillsServer || options.Unsent > 0)
        {
            Tcp.SetOption(fd, Posix.SOL_SOCKET, Posix.SO_RCVBUF, Listeners.SmallBuffer, "SO_RCVBUF");
        }

        if (options.TwinDevice.Length > 0)
        {
            BindTwin(fd, isFirst: index % 2 == 0);
        }
        else
        {
            BindSource(fd, index / options.Ports / PerSourceAddress);
        }

        if (options.State == "syn-recv")
        {
            Tcp.Deafen(fd);
        }

        var target = Target(index);
        LabException.ThrowIf(!connectsLater && Libc.Connect(fd, &target, target.Length) < 0 && (waits || Errno.Last != Errno.EINPROGRESS),
            $"connect to {target.ToEndpoint()}: {Errno.Name(Errno.Last)} (connection {index})");
        return new Pair(index)
        {
            Client = fd,
            ServerAddress = target.ToEndpoint(),
            ClientAddress = Tcp.LocalAddress(fd).ToEndpoint(),
        };
    }

    /// <summary>
    /// Binds one of two sockets with the same addresses and ports, of which only the first is bound to a device. The kernel
    /// searches for a connection from the newest on, and a socket without a device matches any.
    /// </summary>
    private void BindTwin(int fd, bool isFirst)
    {
        Tcp.SetOption(fd, Posix.SOL_SOCKET, Posix.SO_REUSEADDR, 1, "SO_REUSEADDR");
        if (isFirst)
        {
            Listeners.BindDevice(fd, options.TwinDevice);
            _twin = SockAddress.For(options.ClientIsV6, options.ServerAddress, 0);
        }

        var address = _twin;
        Errno.Check(Libc.Bind(fd, &address, address.Length), "bind a twin");
        _twin = Tcp.LocalAddress(fd);
    }

    /// <summary>
    /// Spreads many connections over source addresses; the kernel still chooses the ports (IP_BIND_ADDRESS_NO_PORT,
    /// ip(7)).
    /// </summary>
    private void BindSource(int fd, int block)
    {
        if (block == 0)
        {
            return;
        }

        IPAddress source;
        if (options.SpeaksV4)
        {
            source = new IPAddress([127, 1, (byte)(block >> 8), (byte)block]);
        }
        else
        {
            source = IPAddress.Parse($"fd00::{block:x}");
            if (_added.Add(source))
            {
                Machine.AddLoopbackAddress(source);
            }
        }
        Tcp.SetOption(fd, Posix.SOL_IP, Posix.IP_BIND_ADDRESS_NO_PORT, 1, "IP_BIND_ADDRESS_NO_PORT");
        var address = SockAddress.For(options.ClientIsV6, source, 0);
        int tries = 0;
        while (Libc.Bind(fd, &address, address.Length) < 0)
        {
            // A new IPv6 address is tentative until the kernel's worker has checked it, even on lo.
            const int EADDRNOTAVAIL = 99;
            LabException.ThrowIf(Errno.Last != EADDRNOTAVAIL || tries++ == Wait.LimitMs, $"bind {source}: {Errno.Name(Errno.Last)}");
            _ = Libc.Poll(null, 0, 1);
        }
    }

    private void Accept(List<Pair> pairs)
    {
        Dictionary<Endpoint, Pair>[] waiting = new Dictionary<Endpoint, Pair>[listeners.Length];
        foreach (var pair in pairs)
        {
            (waiting[pair.Index % listeners.Length] ??= []).Add(pair.ClientAddress, pair);
        }

        for (int i = 0; i < listeners.Length; i++)
        {
            while (waiting[i] is { Count: > 0 } expected)
            {
                AcceptOne(listeners[i], expected);
            }
        }
    }

    private static void AcceptOne(int listener, Dictionary<Endpoint, Pair> expected)
    {
        SockAddress peer = default;
        uint length = (uint)sizeof(SockAddress);
        // The handshake's last segment may arrive a moment after connect() returned.
        PollFd entry = new() { Fd = listener, Events = Posix.POLLIN };
        LabException.ThrowIf(Libc.Poll(&entry, 1, Wait.LimitMs) == 0, "no connection to accept arrived");
        int fd = Libc.Accept4(listener, &peer, &length, Posix.SOCK_CLOEXEC);
        Errno.Check(fd, "accept4");
        LabException.ThrowIf(!expected.Remove(peer.ToEndpoint(), out var pair), $"unexpected connection from {peer.ToEndpoint()}");
        pair.Server = fd;
    }
}
