using TcpCloser.Lab.Interop;

namespace TcpCloser.Lab.Paths;

/// <summary>A socket of a <see cref="SocketShell"/>.</summary>
/// <param name="fd">Its descriptor.</param>
internal sealed unsafe class ShellSocket(int fd)
{
    private string? _seen;

    /// <summary>The descriptor; -1 once it was closed.</summary>
    internal int Fd { get; private set; } = fd;

    /// <summary>The options that have to do with keepalive.</summary>
    internal string Options() =>
        $"on={Get(Posix.SOL_SOCKET, Posix.SO_KEEPALIVE)} idle={Get(Posix.SOL_TCP, Posix.TCP_KEEPIDLE)} interval={Get(Posix.SOL_TCP, Posix.TCP_KEEPINTVL)} "
        + $"count={Get(Posix.SOL_TCP, Posix.TCP_KEEPCNT)} user-timeout={Get(Posix.SOL_TCP, Posix.TCP_USER_TIMEOUT)}";

    /// <summary>
    /// How it is for its owner: alive, eof, closed, or the first error that it got. The kernel tells an error once (SO_ERROR clears it).
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

    /// <summary>What TCP_INFO says that a probe or a proof has to do with, and the port by which a dump finds it.</summary>
    internal string Info()
    {
        const int Size = 232;
        byte* info = stackalloc byte[Size];
        uint length = Size;
        new Span<byte>(info, Size).Clear();
        Errno.Check(Libc.GetSockOpt(Fd, Posix.SOL_TCP, Posix.TCP_INFO, info, &length), "getsockopt TCP_INFO");
        return $"port={Tcp.LocalAddress(Fd).ToEndpoint().Port} state={Tcp.StateName(info[0])} retransmits={info[2]} probes={info[3]} backoff={info[4]} "
            + $"rto={*(uint*)(info + 8) / 1000} unacked={*(uint*)(info + 24)} sent={*(uint*)(info + 44)} received={*(uint*)(info + 52)} "
            + $"acknowledged={*(uint*)(info + 56)} segs-out={*(uint*)(info + 136)} notsent={*(uint*)(info + 144)}";
    }

    internal void Set(int level, int option, int value) => Tcp.SetOption(Fd, level, option, value, $"{level} {option}");

    /// <summary>Sends that many bytes, or as many as there is room for.</summary>
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

    /// <summary>Reads all there is.</summary>
    internal void Read(byte[] scratch)
    {
        fixed (byte* data = scratch)
        {
            while (Libc.Receive(Fd, data, (nuint)scratch.Length, Posix.MSG_DONTWAIT) > 0)
            {
            }
        }
    }

    internal void Close()
    {
        _ = Libc.Close(Fd);
        Fd = -1;
    }

    private string Get(int level, int option)
    {
        int value = 0;
        uint length = sizeof(int);
        return Libc.GetSockOpt(Fd, level, option, &value, &length) < 0 ? Errno.Name(Errno.Last) : $"{value}";
    }
}
