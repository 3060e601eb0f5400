using TcpCloser.Interop;
using TcpCloser.Proc;
using TcpCloser.Rules;

namespace TcpCloser.Kill;

/// <summary>The socket options with which the kernel detects a dead peer (tcp(7)).</summary>
internal readonly record struct KeepaliveOptions
{
    /// <summary>SO_KEEPALIVE.</summary>
    public bool IsOn { get; init; }

    /// <summary>TCP_KEEPIDLE, in seconds: the value in force, which may be the system's default.</summary>
    public int Idle { get; init; }

    /// <summary>TCP_KEEPINTVL, in seconds.</summary>
    public int Interval { get; init; }

    /// <summary>TCP_KEEPCNT.</summary>
    public int Count { get; init; }

    /// <summary>TCP_USER_TIMEOUT, in milliseconds; 0: the kernel's own limits.</summary>
    public int UserTimeoutMs { get; init; }

    /// <summary>Reads the options of a fetched socket. Returns 0 or the errno.</summary>
    public static int Read(IProcessTable table, int socket, out KeepaliveOptions options)
    {
        int interval = 0;
        int count = 0;
        int userTimeout = 0;
        int errno = table.ReadOption(socket, Socket.SOL_SOCKET, Socket.SO_KEEPALIVE, out int isOn);
        int idle = 0;
        errno = errno != 0 ? errno : table.ReadOption(socket, Tcp.IPPROTO_TCP, Tcp.TCP_KEEPIDLE, out idle);
        errno = errno != 0 ? errno : table.ReadOption(socket, Tcp.IPPROTO_TCP, Tcp.TCP_KEEPINTVL, out interval);
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
    /// Whether these options could be restored after <paramref name="wanted"/> were set; an unchanged value need not be restored.
    /// </summary>
    public bool CanBeRestored(KeepaliveOptions wanted) =>
        (Idle <= KeepaliveTimes.MaxSeconds || Idle == wanted.Idle) && (Interval <= KeepaliveTimes.MaxSeconds || Interval == wanted.Interval)
        && (Count <= KeepaliveTimes.MaxCount || Count == wanted.Count);

    /// <summary>
    /// Sets the options that differ from those of the socket. The interval, the count and the user timeout are set before keepalive is
    /// enabled, so that the kernel never mixes old and new values. If a call fails, the earlier ones are undone. Returns 0 or the errno.
    /// </summary>
    public int Apply(IProcessTable table, int socket, KeepaliveOptions has)
    {
        int errno = Interval == has.Interval ? 0 : table.SetOption(socket, Tcp.IPPROTO_TCP, Tcp.TCP_KEEPINTVL, Interval);
        errno = errno != 0 || Count == has.Count ? errno : table.SetOption(socket, Tcp.IPPROTO_TCP, Tcp.TCP_KEEPCNT, Count);
        errno = errno != 0 || UserTimeoutMs == has.UserTimeoutMs ? errno
            : table.SetOption(socket, Tcp.IPPROTO_TCP, Tcp.TCP_USER_TIMEOUT, UserTimeoutMs);
        errno = errno != 0 || has.IsOn ? errno : table.SetOption(socket, Socket.SOL_SOCKET, Socket.SO_KEEPALIVE, 1);

        // The idle time is last, because setting it restarts the timer, which then uses all the other values.
        errno = errno != 0 || Idle == has.Idle ? errno : table.SetOption(socket, Tcp.IPPROTO_TCP, Tcp.TCP_KEEPIDLE, Idle);
        if (errno != 0)
        {
            Restore(table, socket, has);
        }

        return errno;
    }

    /// <summary>
    /// Restores the options from before these were set; a value that the application has changed in the meantime stays. (If the application
    /// enabled keepalive itself, that looks like ours.) Each option is restored independently, and keepalive is disabled first.
    /// </summary>
    public void Restore(IProcessTable table, int socket, KeepaliveOptions before)
    {
        if (!before.IsOn)
        {
            SetWithRetry(table, socket, (Socket.SOL_SOCKET, Socket.SO_KEEPALIVE), 0);
        }

        Restore(table, socket, Tcp.TCP_KEEPINTVL, (Interval, before.Interval));
        Restore(table, socket, Tcp.TCP_KEEPCNT, (Count, before.Count));
        Restore(table, socket, Tcp.TCP_USER_TIMEOUT, (UserTimeoutMs, before.UserTimeoutMs));
        Restore(table, socket, Tcp.TCP_KEEPIDLE, (Idle, before.Idle));
    }

    private static void Restore(IProcessTable table, int socket, int option, (int Set, int Before) value)
    {
        if (value.Set != value.Before && !(table.ReadOption(socket, Tcp.IPPROTO_TCP, option, out int now) == 0 && now != value.Set))
        {
            SetWithRetry(table, socket, (Tcp.IPPROTO_TCP, option), value.Before);
        }
    }

    /// <summary>The kernel accepts any value that it has reported itself. If a call fails anyway, it is retried once.</summary>
    private static void SetWithRetry(IProcessTable table, int socket, (int Level, int Name) option, int value)
    {
        if (table.SetOption(socket, option.Level, option.Name, value) != 0)
        {
            _ = table.SetOption(socket, option.Level, option.Name, value);
        }
    }
}
