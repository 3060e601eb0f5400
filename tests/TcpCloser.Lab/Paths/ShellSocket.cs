namespace TcpCloser.Lab.Paths;

/// <summary>A socket of a <see cref="SocketShell"/>.</summary>
internal sealed unsafe class ShellSocket(int fd)
{
    /// <summary>The options that an application may set on a TCP socket, and that a probe must not change.</summary>
    private static readonly (string Name, int Level, int Option)[] s_options =
    [
        ("reuse", Posix.SOL_SOCKET, Posix.SO_REUSEADDR),
        ("reuseport", Posix.SOL_SOCKET, Posix.SO_REUSEPORT),
        ("linger", Posix.SOL_SOCKET, Posix.SO_LINGER),
        ("keepalive", Posix.SOL_SOCKET, Posix.SO_KEEPALIVE),
        ("sndbuf", Posix.SOL_SOCKET, Posix.SO_SNDBUF),
        ("rcvbuf", Posix.SOL_SOCKET, Posix.SO_RCVBUF),
        ("rcvlowat", Posix.SOL_SOCKET, Posix.SO_RCVLOWAT),
        ("rcvtimeo", Posix.SOL_SOCKET, Posix.SO_RCVTIMEO),
        ("sndtimeo", Posix.SOL_SOCKET, Posix.SO_SNDTIMEO),
        ("priority", Posix.SOL_SOCKET, Posix.SO_PRIORITY),
        ("mark", Posix.SOL_SOCKET, Posix.SO_MARK),
        ("nodelay", Posix.SOL_TCP, Posix.TCP_NODELAY),
        ("maxseg", Posix.SOL_TCP, Posix.TCP_MAXSEG),
        ("cork", Posix.SOL_TCP, Posix.TCP_CORK),
        ("keepidle", Posix.SOL_TCP, Posix.TCP_KEEPIDLE),
        ("keepintvl", Posix.SOL_TCP, Posix.TCP_KEEPINTVL),
        ("keepcnt", Posix.SOL_TCP, Posix.TCP_KEEPCNT),
        ("syncnt", Posix.SOL_TCP, Posix.TCP_SYNCNT),
        ("linger2", Posix.SOL_TCP, Posix.TCP_LINGER2),
        ("defer-accept", Posix.SOL_TCP, Posix.TCP_DEFER_ACCEPT),
        ("window-clamp", Posix.SOL_TCP, Posix.TCP_WINDOW_CLAMP),
        ("congestion", Posix.SOL_TCP, Posix.TCP_CONGESTION),
        ("user-timeout", Posix.SOL_TCP, Posix.TCP_USER_TIMEOUT),
        ("repair", Posix.SOL_TCP, Posix.TCP_REPAIR),
        ("fastopen", Posix.SOL_TCP, Posix.TCP_FASTOPEN),
        ("notsent-lowat", Posix.SOL_TCP, Posix.TCP_NOTSENT_LOWAT),
        ("inq", Posix.SOL_TCP, Posix.TCP_INQ),
    ];

    private string? _seen;

    /// <summary>The descriptor; -1 once it was closed.</summary>
    internal int Fd { get; private set; } = fd;

    internal string Options() =>
        $"on={Get(Posix.SOL_SOCKET, Posix.SO_KEEPALIVE)} idle={Get(Posix.SOL_TCP, Posix.TCP_KEEPIDLE)} interval={Get(Posix.SOL_TCP, Posix.TCP_KEEPINTVL)} "
        + $"count={Get(Posix.SOL_TCP, Posix.TCP_KEEPCNT)} user-timeout={Get(Posix.SOL_TCP, Posix.TCP_USER_TIMEOUT)}";

    /// <summary>Every option, of any type, as the bytes of getsockopt(2) in hexadecimal.</summary>
    internal string AllOptions() => string.Join(' ', s_options.Select(option => $"{option.Name}={GetBytes(option.Level, option.Option)}"));

    /// <summary>
    /// What the owner sees: alive, eof, closed, or the first error. The kernel reports an error only once (SO_ERROR clears
    /// it).
    /// </summary>
    internal string Look()
    {
        if (_seen is null && Fd >= 0 && Tcp.TakeError(Fd) is var error and not 0)
        {
            _seen = Errno.Name(error);
        }

        if (_seen is null && Fd >= 0)
        {
            byte one;
            nint received = Libc.Receive(Fd, &one, 1, Posix.MSG_PEEK | Posix.MSG_DONTWAIT);
            _seen = received < 0 && Errno.Last != Errno.EAGAIN ? Errno.Name(Errno.Last) : null;
            return _seen ?? (received == 0 ? "eof" : "alive");
        }

        return _seen ?? "closed";
    }

    /// <summary>
    /// The fields of TCP_INFO that matter for probes and proofs, and the port that identifies the socket in a dump. Before Linux
    /// 6.7 the kernel does not count series of timeouts: -1.
    /// </summary>
    internal string Info()
    {
        const int Size = 248;
        byte* info = stackalloc byte[Size];
        uint length = Size;
        new Span<byte>(info, Size).Clear();
        Errno.Check(Libc.GetSockOpt(Fd, Posix.SOL_TCP, Posix.TCP_INFO, info, &length), "getsockopt TCP_INFO");
        return $"port={Tcp.LocalAddress(Fd).ToEndpoint().Port} state={Tcp.StateName(info[0])} retransmits={info[2]} probes={info[3]} backoff={info[4]} "
            + $"rto={*(uint*)(info + 8) / 1000} unacked={*(uint*)(info + 24)} sent={*(uint*)(info + 44)} received={*(uint*)(info + 52)} "
            + $"acknowledged={*(uint*)(info + 56)} segs-out={*(uint*)(info + 136)} notsent={*(uint*)(info + 144)} "
            + $"window={*(uint*)(info + 228)} series={(length < Size ? -1 : *(ushort*)(info + 242))}";
    }

    internal void Set(int level, int option, int value) => Tcp.SetOption(Fd, level, option, value, $"{level} {option}");

    /// <summary>Sends that many bytes, or as many as fit into the buffer.</summary>
    internal string Send(byte[] scratch, int bytes)
    {
        int sent = 0;
        while (sent < bytes)
        {
            fixed (byte* data = scratch)
            {
                nint now = Libc.Send(Fd, data, (nuint)Math.Min(bytes - sent, scratch.Length), Posix.MSG_DONTWAIT | Posix.MSG_NOSIGNAL);
                if (now < 0)
                {
                    return $"sent={sent} error={Errno.Name(Errno.Last)}";
                }

                sent += (int)now;
            }
        }

        return $"sent={sent}";
    }

    internal void Read(byte[] scratch)
    {
        fixed (byte* data = scratch)
        {
            while (Libc.Receive(Fd, data, (nuint)scratch.Length, Posix.MSG_DONTWAIT) > 0)
            {
            }
        }
    }

    /// <summary>Closes the socket with a reset (socket(7), SO_LINGER of 0 seconds).</summary>
    internal void Abort()
    {
        int* linger = stackalloc int[2]; // struct linger: l_onoff, l_linger
        (linger[0], linger[1]) = (1, 0);
        Errno.Check(Libc.SetSockOpt(Fd, Posix.SOL_SOCKET, Posix.SO_LINGER, linger, 2 * sizeof(int)), "setsockopt SO_LINGER");
        Close();
    }

    /// <summary>Ends the connection and keeps the socket (connect(2) to AF_UNSPEC).</summary>
    internal void Disconnect()
    {
        SockAddress unspecified = default;
        Errno.Check(Libc.Connect(Fd, &unspecified, unspecified.Length), "connect AF_UNSPEC");
    }

    internal void Open(SocketPlan plan)
    {
        Fd = plan.Open();
        _seen = null;
    }

    internal void Close()
    {
        _ = Libc.Close(Fd);
        Fd = -1;
    }

    private string GetBytes(int level, int option)
    {
        const int MaxValueSize = 16; // struct timeval, TCP_CA_NAME_MAX
        byte* value = stackalloc byte[MaxValueSize];
        uint length = MaxValueSize;
        return Libc.GetSockOpt(Fd, level, option, value, &length) < 0
            ? Errno.Name(Errno.Last)
            : Convert.ToHexString(new ReadOnlySpan<byte>(value, (int)length));
    }

    private string Get(int level, int option)
    {
        int value = 0;
        uint length = sizeof(int);
        return Libc.GetSockOpt(Fd, level, option, &value, &length) < 0 ? Errno.Name(Errno.Last) : $"{value}";
    }
}
