namespace TcpCloser.Lab.Interop;

/// <summary>What the kernel reports about a TCP socket in TCP_INFO, and socket options (tcp(7), socket(7)).</summary>
internal static unsafe class Tcp
{
    internal const int Established = 1;
    internal const int SynSent = 2;
    internal const int SynReceived = 3;
    internal const int FinWait1 = 4;
    internal const int FinWait2 = 5;
    internal const int TimeWait = 6;
    internal const int Closed = 7;
    internal const int CloseWait = 8;
    internal const int LastAck = 9;
    internal const int Listen = 10;
    internal const int Closing = 11;
    private const int UnackedOffset = 24;
    private const int NotSentOffset = 144;
    private const int InfoSize = 232;

    /// <summary>The state as the kernel's number (tcp_states.h); -1 if the socket has none.</summary>
    internal static int State(int fd)
    {
        byte* info = stackalloc byte[InfoSize];
        uint length = InfoSize;
        return Libc.GetSockOpt(fd, Posix.SOL_TCP, Posix.TCP_INFO, info, &length) < 0 ? -1 : info[0];
    }

    /// <summary>The number of segments sent and not acknowledged, and of bytes written but not sent yet.</summary>
    internal static (uint Unacked, uint NotSentBytes) Pending(int fd)
    {
        byte* info = stackalloc byte[InfoSize];
        uint length = InfoSize;
        Errno.Check(Libc.GetSockOpt(fd, Posix.SOL_TCP, Posix.TCP_INFO, info, &length), "getsockopt TCP_INFO");
        return (*(uint*)(info + UnackedOffset), *(uint*)(info + NotSentOffset));
    }

    internal static string StateName(int state) => state switch
    {
        Established => "established",
        SynSent => "syn-sent",
        SynReceived => "syn-recv",
        FinWait1 => "fin-wait-1",
        FinWait2 => "fin-wait-2",
        TimeWait => "time-wait",
        Closed => "closed",
        CloseWait => "close-wait",
        LastAck => "last-ack",
        Listen => "listening",
        Closing => "closing",
        _ => "unknown",
    };

    internal static void SetOption(int fd, int level, int name, int value, string what)
        => Errno.Check(Libc.SetSockOpt(fd, level, name, &value, sizeof(int)), $"setsockopt {what}");

    /// <summary>SO_ERROR: the pending error, which is cleared by reading it.</summary>
    internal static int TakeError(int fd)
    {
        int error = 0;
        uint length = sizeof(int);
        return Libc.GetSockOpt(fd, Posix.SOL_SOCKET, Posix.SO_ERROR, &error, &length) < 0 ? Errno.Last : error;
    }

    internal static void SetNonBlocking(int fd, bool on)
    {
        int flags = Errno.Check(Libc.Fcntl(fd, Posix.F_GETFL, 0), "fcntl F_GETFL");
        Errno.Check(Libc.Fcntl(fd, Posix.F_SETFL, on ? flags | Posix.O_NONBLOCK : flags & ~Posix.O_NONBLOCK), "fcntl F_SETFL");
    }

    /// <summary>
    /// Makes a socket deaf by a one-instruction socket filter (socket(7), SO_ATTACH_FILTER) that drops everything that arrives for
    /// it. A listener gets no SYN any more, a client neither SYN-ACK nor data nor RST. This needs no packet filter, and on most kernels no
    /// privilege (some require CAP_NET_ADMIN, for example 6.18.44).
    /// </summary>
    internal static void Deafen(int fd)
    {
        ulong returnZero = 6; // struct sock_filter { code = BPF_RET | BPF_K, jt = 0, jf = 0, k = 0 }
        nuint* program = stackalloc nuint[2]; // struct sock_fprog { unsigned short len; struct sock_filter *filter; }
        program[0] = 1;
        program[1] = (nuint)(&returnZero);
        Errno.Check(Libc.SetSockOpt(fd, Posix.SOL_SOCKET, Posix.SO_ATTACH_FILTER, program, 16), "setsockopt SO_ATTACH_FILTER");
    }

    internal static SockAddress LocalAddress(int fd)
    {
        SockAddress address = default;
        uint length = (uint)sizeof(SockAddress);
        Errno.Check(Libc.GetSockName(fd, &address, &length), "getsockname");
        return address;
    }
}
