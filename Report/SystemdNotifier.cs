using System.Diagnostics;
using System.Text;
using TcpCloser.Cli;
using TcpCloser.Interop;
using TcpCloser.Rules;

namespace TcpCloser.Report;

/// <summary>
/// Reports the state of the service to the service manager (sd_notify(3)). READY is repeated every round, because a datagram may be lost:
/// sending never blocks.
/// </summary>
/// <param name="watchdog">The manager kills a service that sends no ping for this long; null: there is no watchdog.</param>
internal sealed class SystemdNotifier(NotifySocket socket, TimeSpan? watchdog) : IObserver, IDisposable
{
    private readonly TextBuffer _text = new();
    private readonly TimeSpan? _pingEvery = watchdog / 2;
    private long _pingedAt;
    private long _rounds;

    /// <summary>The time within which <see cref="Progress"/> must be called again, in milliseconds; -1: no limit.</summary>
    public int UntilPingMs => UntilPing is { } time ? (int)Math.Ceiling(Math.Max(time.TotalMilliseconds, 0)) : -1;

    private TimeSpan? UntilPing => _pingedAt == 0 ? _pingEvery * 0 : _pingEvery - Stopwatch.GetElapsedTime(_pingedAt);

    /// <summary>Whether a service manager started this process and waits for READY.</summary>
    public static bool IsExpected => SocketName is { Length: > 0 };

    private static string? SocketName => Environment.GetEnvironmentVariable("NOTIFY_SOCKET");

    /// <summary>The notifier for NOTIFY_SOCKET; null: it is not set.</summary>
    public static SystemdNotifier? FromEnvironment() =>
        SocketName is { Length: > 0 } name
            ? new SystemdNotifier(new NotifySocket(name),
                Watchdog(Environment.GetEnvironmentVariable("WATCHDOG_USEC"), Environment.GetEnvironmentVariable("WATCHDOG_PID")))
            : null;

    /// <summary>Pings the watchdog. Called whenever a round or a wait makes progress; a hung round does not get here.</summary>
    public void Progress()
    {
        if (UntilPing <= TimeSpan.Zero)
        {
            _pingedAt = Stopwatch.GetTimestamp();
            _ = socket.Send("WATCHDOG=1"u8);
        }
    }

    /// <summary>Runs the reload that SIGHUP requests, and reports its start and end.</summary>
    public void Reload(Action reload)
    {
        bool isReady = _rounds > 0;
        if (isReady)
        {
            _text.Clear();
            Send(_text.Add("RELOADING=1\nMONOTONIC_USEC="u8).Add((ulong)(Stopwatch.GetTimestamp() / (Stopwatch.Frequency / 1_000_000))));
        }

        reload();
        if (isReady)
        {
            _ = socket.Send("READY=1"u8);
        }
    }

    /// <summary>The service works: READY does not have to wait for a long round.</summary>
    public void Listed()
    {
        if (_rounds == 0)
        {
            _ = socket.Send("READY=1"u8);
        }
    }

    public void End(ExitStatus status, Counts counts, TimeSpan time, bool isQuiet)
    {
        // If the first round shows that nothing is possible here, the service exits.
        if (_rounds > 0 || status != ExitStatus.NotPossible)
        {
            _rounds++;
            _text.Clear();
            _text.Add("READY=1\nSTATUS=round "u8).Add((ulong)_rounds).Add(" "u8).Add(ExitStatusName.Of(status)).Add(": "u8);
            Send(counts.Write(_text));
        }
    }

    public void Totals(Counts totals, long rounds, TimeSpan time)
    {
        _text.Clear();
        Send(totals.Write(_text.Add("STATUS=after "u8).Add((ulong)rounds).Add(" rounds: "u8)));
    }

    /// <summary>Reports that the service stops.</summary>
    public void Dispose()
    {
        _ = socket.Send("STOPPING=1"u8);
        socket.Dispose();
    }

    /// <summary>The value of WATCHDOG_USEC if it is meant for this process; null: there is no watchdog.</summary>
    private static TimeSpan? Watchdog(string? usec, string? pid) =>
        (string.IsNullOrEmpty(pid) || pid == Unistd.getpid().ToString())
            && Digits.TryParse(usec, int.MaxValue * 1000ul, out ulong microseconds) && microseconds > 0
            ? TimeSpan.FromMicroseconds(microseconds)
            : null;

    private void Send(TextBuffer text) => _ = socket.Send(text.Written);
}

/// <summary>The socket on which a service manager receives the states of its services (sd_notify(3)).</summary>
internal sealed unsafe class NotifySocket : IDisposable
{
    private readonly int _fd;
    private readonly SockAddrUn _address;
    private readonly uint _addressLength;

    /// <param name="name">A path, or <c>@name</c> for the abstract namespace (unix(7)).</param>
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

    /// <summary>Sends one datagram without blocking. Returns whether it was sent.</summary>
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
