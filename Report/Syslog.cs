using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Text;
using TcpCloser.Interop;

namespace TcpCloser.Report;

/// <summary>RFC 3164 datagrams to the daemon's socket, facility daemon, tag <c>tcp-closer</c>. Never blocks: what does not fit is counted.</summary>
/// <param name="path">The socket; tests use their own.</param>
internal sealed unsafe class Syslog(string path = "/dev/log") : IDisposable
{
    private const int FacilityDaemon = 3 << 3;

    private const string Months = "JanFebMarAprMayJunJulAugSepOctNovDec";

    private static readonly TimeSpan s_retryAfter = TimeSpan.FromSeconds(1);

    private readonly TextBuffer _datagram = new();
    private readonly string _tag = $" tcp-closer[{Unistd.getpid()}]: ";
    private int _fd = -1;
    private bool _absent;
    private long _failedAt;

    /// <summary>The number of lines that the socket did not accept.</summary>
    public int Lost { get; private set; }

    private bool HasJustFailed => _failedAt != 0 && Stopwatch.GetElapsedTime(_failedAt) < s_retryAfter;

    public void Dispose() => Disconnect();

    public void Write(Level level, long unixSeconds, ReadOnlySpan<byte> text)
    {
        if (_fd < 0 && (HasJustFailed || !Connect()))
        {
            Lost += _absent ? 0 : 1;
            return;
        }

        _datagram.Clear();
        _datagram.Add("<"u8).Add((ulong)(FacilityDaemon | (int)level)).Add(">"u8);
        AddTime(unixSeconds);
        _datagram.Add(_tag).Add(text);
        int errno = Send();
        if (errno is Errno.ECONNREFUSED or Errno.ENOTCONN or Errno.ECONNRESET)
        {
            // The daemon was restarted, and has a new socket.
            Disconnect();
            errno = Connect() ? Send() : _absent ? 0 : errno;
        }

        Lost += errno == 0 ? 0 : 1;
    }

    /// <summary>Tried at most once a second: a daemon that restarts is absent for a moment, and a service must survive that.</summary>
    private bool Connect()
    {
        _fd = Socket.socket(Socket.AF_UNIX, Socket.SOCK_DGRAM | Socket.SOCK_CLOEXEC | Socket.SOCK_NONBLOCK, 0);
        if (_fd >= 0)
        {
            var address = new SockAddrUn { Family = Socket.AF_UNIX };
            Encoding.UTF8.GetBytes(path, address.Path);
            if (Socket.connect(_fd, &address, (uint)sizeof(SockAddrUn)) == 0)
            {
                return true;
            }

            // A missing daemon is not an error. One that refuses lines shows as lost lines.
            _absent = Marshal.GetLastPInvokeError() is Errno.ENOENT or Errno.ECONNREFUSED;
            Disconnect();
        }

        _failedAt = Stopwatch.GetTimestamp();
        return false;
    }

    private int Send()
    {
        fixed (byte* p = _datagram.Written)
        {
            nint sent = Socket.send(_fd, p, (nuint)_datagram.Length, Socket.MSG_DONTWAIT | Socket.MSG_NOSIGNAL);
            return sent >= 0 ? 0 : Marshal.GetLastPInvokeError();
        }
    }

    private void Disconnect()
    {
        if (_fd >= 0)
        {
            _ = Unistd.close(_fd);
            _fd = -1;
        }
    }

    /// <summary><c>Nov  3 14:03:07</c>, local time.</summary>
    private void AddTime(long unixSeconds)
    {
        Tm tm;
        _ = Time.localtime_r(&unixSeconds, &tm);
        _datagram.Add(Months.Substring(tm.Month * 3, 3)).Add(tm.DayOfMonth < 10 ? "  "u8 : " "u8).Add((ulong)tm.DayOfMonth).Add(" "u8)
            .Add((uint)tm.Hour, 2).Add(":"u8).Add((uint)tm.Minute, 2).Add(":"u8).Add((uint)tm.Second, 2);
    }
}
