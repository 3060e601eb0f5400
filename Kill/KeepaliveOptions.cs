using TcpCloser.Interop;
using TcpCloser.Proc;

namespace TcpCloser.Kill;

/// <summary>The options of a socket by which the kernel finds a dead peer (tcp(7)).</summary>
internal readonly record struct KeepaliveOptions
{
    /// <summary>SO_KEEPALIVE.</summary>
    public bool IsOn { get; init; }

    /// <summary>TCP_KEEPIDLE, in seconds: what is in force, also where it is the system's.</summary>
    public int Idle { get; init; }

    /// <summary>TCP_KEEPINTVL, in seconds.</summary>
    public int Interval { get; init; }

    /// <summary>TCP_KEEPCNT.</summary>
    public int Count { get; init; }

    /// <summary>TCP_USER_TIMEOUT, in milliseconds; 0: the kernel's own limits.</summary>
    public int UserTimeoutMs { get; init; }

    /// <summary>Reads them off a fetched socket. Returns 0 or the errno.</summary>
    /// <param name="table">What reads them.</param>
    /// <param name="socket">The socket.</param>
    /// <param name="withInterval">Whether the interval is of use; 0 stands for it otherwise.</param>
    /// <param name="options">What it has.</param>
    public static int Read(IProcessTable table, int socket, bool withInterval, out KeepaliveOptions options)
    {
        int interval = 0;
        int count = 0;
        int userTimeout = 0;
        int errno = table.ReadOption(socket, Socket.SOL_SOCKET, Socket.SO_KEEPALIVE, out int isOn);
        int idle = 0;
        errno = errno != 0 ? errno : table.ReadOption(socket, Tcp.IPPROTO_TCP, Tcp.TCP_KEEPIDLE, out idle);
        errno = errno != 0 || !withInterval ? errno : table.ReadOption(socket, Tcp.IPPROTO_TCP, Tcp.TCP_KEEPINTVL, out interval);
        errno = errno != 0 ? errno : table.ReadOption(socket, Tcp.IPPROTO_TCP, Tcp.TCP_KEEPCNT, out count);
        if (errno == 0)
        {
            errno = table.ReadOption(socket, Tcp.IPPROTO_TCP, Tcp.TCP_USER_TIMEOUT, out userTimeout);
            errno = errno == Errno.EOPNOTSUPP ? 0 : errno; // an MPTCP socket has none
        }

        options = new KeepaliveOptions { IsOn = isOn != 0, Idle = idle, Interval = interval, Count = count, UserTimeoutMs = userTimeout };
        return errno;
    }

    /// <summary>
    /// Puts keepalive on, and sets what differs from what the socket has. It is put on after its values, so that the kernel never
    /// counts by a mixture. What fails in between is taken back. Returns 0 or the errno.
    /// </summary>
    public int Apply(IProcessTable table, int socket, KeepaliveOptions has)
    {
        int errno = Interval == has.Interval ? 0 : table.SetOption(socket, Tcp.IPPROTO_TCP, Tcp.TCP_KEEPINTVL, Interval);
        errno = errno != 0 || Count == has.Count ? errno : table.SetOption(socket, Tcp.IPPROTO_TCP, Tcp.TCP_KEEPCNT, Count);
        errno = errno != 0 || UserTimeoutMs == has.UserTimeoutMs ? errno
            : table.SetOption(socket, Tcp.IPPROTO_TCP, Tcp.TCP_USER_TIMEOUT, UserTimeoutMs);
        errno = errno != 0 || has.IsOn ? errno : table.SetOption(socket, Socket.SOL_SOCKET, Socket.SO_KEEPALIVE, 1);

        // Last, because it starts the timer anew, which then counts by all the others.
        errno = errno != 0 || Idle == has.Idle ? errno : table.SetOption(socket, Tcp.IPPROTO_TCP, Tcp.TCP_KEEPIDLE, Idle);
        if (errno != 0)
        {
            PutBack(table, socket, has);
        }

        return errno;
    }

    /// <summary>
    /// Puts back what was there before these were set; a value that the application has changed meanwhile stays. (Keepalive that it put
    /// on by itself looks like ours.) Each is put back for itself, keepalive off before the others.
    /// </summary>
    public void PutBack(IProcessTable table, int socket, KeepaliveOptions before)
    {
        if (!before.IsOn)
        {
            SetSurely(table, socket, Socket.SOL_SOCKET, Socket.SO_KEEPALIVE, 0);
        }

        PutBack(table, socket, Tcp.TCP_KEEPINTVL, Interval, before.Interval);
        PutBack(table, socket, Tcp.TCP_KEEPCNT, Count, before.Count);
        PutBack(table, socket, Tcp.TCP_USER_TIMEOUT, UserTimeoutMs, before.UserTimeoutMs);
        PutBack(table, socket, Tcp.TCP_KEEPIDLE, Idle, before.Idle);
    }

    private static void PutBack(IProcessTable table, int socket, int option, int set, int before)
    {
        if (set != before && !(table.ReadOption(socket, Tcp.IPPROTO_TCP, option, out int now) == 0 && now != set))
        {
            SetSurely(table, socket, Tcp.IPPROTO_TCP, option, before);
        }
    }

    /// <summary>The kernel refuses no value that it has told itself; should a call fail all the same, it is tried again once.</summary>
    private static void SetSurely(IProcessTable table, int socket, int level, int option, int value)
    {
        if (table.SetOption(socket, level, option, value) != 0)
        {
            _ = table.SetOption(socket, level, option, value);
        }
    }
}
