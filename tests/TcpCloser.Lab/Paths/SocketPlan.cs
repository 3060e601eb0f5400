namespace TcpCloser.Lab.Paths;

/// <summary>The sockets that a <c>connect</c> command creates: <c>connect ADDRESS PORT COUNT [KEY=VALUE]…</c>.</summary>
internal sealed unsafe record SocketPlan(IPAddress Target, int Port, int Count)
{
    private bool IsV6 { get; init; }
    private IPAddress? From { get; init; }
    private string Device { get; init; } = "";
    private bool IsMptcp { get; init; }
    /// <summary>Whether connect(2) is only started.</summary>
    private bool IsStarted { get; init; }
    /// <summary>SO_RCVBUF; 0: the kernel's default.</summary>
    private int ReceiveBuffer { get; init; }
    /// <summary>TCP_KEEPIDLE, TCP_KEEPINTVL, TCP_KEEPCNT; empty: the system's defaults. Null: keepalive is off.</summary>
    private int[]? Keepalive { get; init; }
    /// <summary>SO_REUSEADDR.</summary>
    private bool IsReusable { get; init; }
    /// <summary>SO_LINGER in seconds; 0: off.</summary>
    private int Linger { get; init; }
    private int UserTimeout { get; init; }

    internal static SocketPlan Parse(string[] words)
    {
        var plan = new SocketPlan(Address(words[1]), Number(words[2]), Number(words[3])) { IsV6 = words[1].Contains(':') };
        foreach (string word in words[4..])
        {
            string[] pair = word.Split('=');
            plan = pair[0] switch
            {
                "from" => plan with { From = Address(pair[1]) },
                "device" => plan with { Device = pair[1] },
                "rcvbuf" => plan with { ReceiveBuffer = Number(pair[1]) },
                "keepalive" => plan with { Keepalive = pair.Length == 1 ? [] : [.. pair[1].Split(',').Select(Number)] },
                "reuse" => plan with { IsReusable = true },
                "linger" => plan with { Linger = Number(pair[1]) },
                "user-timeout" => plan with { UserTimeout = Number(pair[1]) },
                "mptcp" => plan with { IsMptcp = true },
                "start" => plan with { IsStarted = true },
                _ => throw new LabException($"connect: {word}"),
            };
        }

        return plan;
    }

    internal static IPAddress Address(string text) => IPAddress.Parse(text);

    internal int Open()
    {
        int fd = Listeners.OpenSocket(IsV6, IsMptcp, IsStarted ? Posix.SOCK_NONBLOCK : 0);
        if (Device.Length > 0)
        {
            Listeners.BindDevice(fd, Device);
        }
        Set(ReceiveBuffer > 0, Posix.SOL_SOCKET, Posix.SO_RCVBUF, ReceiveBuffer, "SO_RCVBUF");
        if (From is not null)
        {
            Tcp.SetOption(fd, Posix.SOL_IP, Posix.IP_BIND_ADDRESS_NO_PORT, 1, "IP_BIND_ADDRESS_NO_PORT");
            var from = SockAddress.For(IsV6, From, 0);
            Errno.Check(Libc.Bind(fd, &from, from.Length), $"bind {From}");
        }
        Set(IsReusable, Posix.SOL_SOCKET, Posix.SO_REUSEADDR, 1, "SO_REUSEADDR");
        if (Linger > 0)
        {
            int* linger = stackalloc int[2]; // struct linger: l_onoff, l_linger
            (linger[0], linger[1]) = (1, Linger);
            Errno.Check(Libc.SetSockOpt(fd, Posix.SOL_SOCKET, Posix.SO_LINGER, linger, 2 * sizeof(int)), "setsockopt SO_LINGER");
        }

        if (Keepalive is { Length: 3 })
        {
            Tcp.SetOption(fd, Posix.SOL_TCP, Posix.TCP_KEEPIDLE, Keepalive[0], "TCP_KEEPIDLE");
            Tcp.SetOption(fd, Posix.SOL_TCP, Posix.TCP_KEEPINTVL, Keepalive[1], "TCP_KEEPINTVL");
            Tcp.SetOption(fd, Posix.SOL_TCP, Posix.TCP_KEEPCNT, Keepalive[2], "TCP_KEEPCNT");
        }
        Set(Keepalive is not null, Posix.SOL_SOCKET, Posix.SO_KEEPALIVE, 1, "SO_KEEPALIVE");
        Set(UserTimeout > 0, Posix.SOL_TCP, Posix.TCP_USER_TIMEOUT, UserTimeout, "TCP_USER_TIMEOUT");
        var target = SockAddress.For(IsV6, Target, Port);
        LabException.ThrowIf(Libc.Connect(fd, &target, target.Length) < 0 && !(IsStarted && Errno.Last == Errno.EINPROGRESS),
            $"connect {Target}: {Errno.Name(Errno.Last)}");
        return fd;

        void Set(bool isWanted, int level, int option, int value, string name)
        {
            if (isWanted)
            {
                Tcp.SetOption(fd, level, option, value, name);
            }
        }
    }

    private static int Number(string word) => int.Parse(word, CultureInfo.InvariantCulture);
}
