using System.Runtime.InteropServices;
using System.Text;
using TcpCloser.Interop;

namespace TcpCloser.Report;

/// <summary>RFC 3164 datagrams to the daemon's socket, facility daemon, tag <c>tcp-closer</c>. Never waits: what does not fit is counted.</summary>
/// <param name="path">The socket; a test has one of its own.</param>
internal sealed unsafe class Syslog(string path = "/dev/log") : IDisposable
{
    private const int FacilityDaemon = 3 << 3;

    private const string Months = "JanFebMarAprMayJunJulAugSepOctNovDec";

    private readonly TextBuffer _datagram = new();
    private readonly string _tag = $" tcp-closer[{Unistd.getpid()}]: ";
    private int _fd = -1;
    private bool _absent;
    private long _retryAt;

    /// <summary>Lines that the daemon's socket did not take.</summary>
    public int Lost { get; private set; }

    public void Dispose() => Disconnect();

    public void Write(Level level, long unixSeconds, ReadOnlySpan<byte> text)
    {
        if (_fd < 0 && (unixSeconds < _retryAt || !Connect(unixSeconds)))
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
            // The daemon was started anew: its socket is another.
            Disconnect();
            errno = Connect(unixSeconds) ? Send() : _absent ? 0 : errno;
        }

        Lost += errno == 0 ? 0 : 1;
    }

    /// <summary>Tried once a second at most: a daemon that is being started anew is absent for a moment, and a service outlives that.</summary>
    private bool Connect(long unixSeconds)
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

            // No daemon is no error. One that is there, but not to be written to, shows as lost lines.
            _absent = Marshal.GetLastPInvokeError() is Errno.ENOENT or Errno.ECONNREFUSED;
            Disconnect();
        }

        _retryAt = unixSeconds + 1;
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
