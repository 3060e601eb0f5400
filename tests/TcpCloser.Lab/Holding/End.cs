using System.Text;
using TcpCloser.Lab.Interop;

namespace TcpCloser.Lab.Holding;

/// <summary>
/// One end of a connection, as its holder sees it. Looking disturbs nothing, but an error is told by the kernel only once
/// (SO_ERROR clears it), so whatever was seen is remembered, in the order in which it was seen.
/// </summary>
internal sealed class End(string role, int index, int fd, bool busy)
{
    /// <summary>Stands in the list of what was seen for an end of file; no errno is that large.</summary>
    internal const int EndOfFile = 4095;

    /// <summary>Replaced as a whole, because a blocked thread may see something at any time.</summary>
    private volatile int[] _seen = [];
    private readonly Lock _gate = new();
    private int _seenAtFirst;

    /// <summary><c>server</c>, <c>client</c>, <c>decoy-server</c>, <c>decoy-client</c> or <c>listener</c>.</summary>
    internal string Role => role;

    internal int Index => index;

    /// <summary>The descriptor, or -1 once it was closed on request.</summary>
    internal int Fd { get; private set; } = fd;

    internal bool Busy { get; set; } = busy;

    /// <summary>The call that a thread of the holder sits in on this socket, if any.</summary>
    internal BlockedCall? Blocked { get; set; }

    /// <summary>What the last <c>send</c> reported, or null.</summary>
    internal string? Sent { get; private set; }

    /// <summary>Whether something happened since the holder got it.</summary>
    internal bool HasEnded => Fd < 0 || _seen.Length > _seenAtFirst;

    /// <summary>alive, eof, or the error in a word: the first error counts more than an end of file.</summary>
    internal string View
    {
        get
        {
            int[] all = _seen;
            if (all.Length == 0)
            {
                return Fd < 0 ? "closed" : "alive";
            }

            int error = Array.Find(all, seen => seen != EndOfFile);
            return error switch
            {
                0 => "eof",
                Errno.ECONNABORTED => "aborted",
                Errno.ECONNRESET => "reset",
                Errno.ENOTCONN => "notconn",
                Errno.EPIPE => "pipe",
                _ => Errno.Name(error),
            };
        }
    }

    /// <summary>Takes what there is now for normal: a CLOSE_WAIT socket has its end of file from the start.</summary>
    internal void RememberAsNormal() => _seenAtFirst = _seen.Length;

    /// <summary>Remembers an errno or an end of file.</summary>
    internal void Saw(int what)
    {
        lock (_gate)
        {
            if (Array.IndexOf(_seen, what) < 0)
            {
                _seen = [.. _seen, what];
            }
        }
    }

    /// <summary>Looks at a socket on which poll(2) reported something.</summary>
    internal unsafe void Look(short events)
    {
        if (role == "listener")
        {
            if (Tcp.State(Fd) != Tcp.Listen)
            {
                Saw(Errno.EINVAL);
            }

            return;
        }
        // A blocked call has the first right to the error.
        Blocked?.WaitIfEnding(events);
        if ((events & (Posix.POLLERR | Posix.POLLHUP)) != 0 && Tcp.TakeError(Fd) is var error and not 0)
        {
            Saw(error);
        }

        byte one;
        nint received = Libc.Receive(Fd, &one, 1, Posix.MSG_PEEK | Posix.MSG_DONTWAIT);
        if (received == 0)
        {
            Saw(EndOfFile);
        }
        else if (received < 0 && Errno.Last is not (Errno.EAGAIN or Errno.EINTR))
        {
            Saw(Errno.Last);
        }
    }

    /// <summary>Writes one byte and remembers the answer; a full send buffer (EAGAIN) is no failure.</summary>
    internal unsafe void Send()
    {
        byte one = (byte)'x';
        if (Libc.Send(Fd, &one, 1, Posix.MSG_DONTWAIT | Posix.MSG_NOSIGNAL) == 1)
        {
            Sent = "ok";
            return;
        }
        Sent = Errno.Name(Errno.Last);
        if (Errno.Last != Errno.EAGAIN)
        {
            Saw(Errno.Last);
        }
    }

    /// <summary>Reads what has come and writes one byte, as a busy connection does; or only reads.</summary>
    internal unsafe void Exchange(bool talks)
    {
        const int ScratchSize = 512;
        byte* scratch = stackalloc byte[ScratchSize];
        nint received;
        do
        {
            received = Libc.Receive(Fd, scratch, ScratchSize, Posix.MSG_DONTWAIT);
        }
        while (received > 0);
        if (received == 0)
        {
            Saw(EndOfFile);
        }
        else if (Errno.Last is not (Errno.EAGAIN or Errno.EINTR))
        {
            Saw(Errno.Last);
        }

        if (_seen.Length > 0)
        {
            Busy = false;
        }
        else if (talks)
        {
            Send();
        }
    }

    internal void Close()
    {
        if (Fd >= 0)
        {
            _ = Libc.Close(Fd);
        }

        Fd = -1;
        Busy = false;
    }

    /// <summary>The end as <c>list</c> shows it: role, index, view, TCP state, then what else there is to say.</summary>
    internal string Describe()
    {
        StringBuilder text = new();
        text.Append(role).Append(' ').Append(index).Append(' ').Append(View).Append(' ')
            .Append(Fd < 0 ? "closed" : Tcp.StateName(Tcp.State(Fd)));
        if (_seen.Length > 0)
        {
            text.Append(" saw=").AppendJoin(',', Array.ConvertAll(_seen, seen => seen == EndOfFile ? "eof" : Errno.Name(seen)));
        }

        if (Sent is not null)
        {
            text.Append(" sent=").Append(Sent);
        }

        if (Blocked is not null)
        {
            text.Append(" blocked=").Append(Blocked.Result);
        }

        return text.ToString();
    }
}
