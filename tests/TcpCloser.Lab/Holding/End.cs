namespace TcpCloser.Lab.Holding;

/// <summary>
/// One end of a connection, as its holder sees it. Looking changes nothing, but the kernel reports an error only once (SO_ERROR
/// clears it), so everything that was seen is remembered in that order.
/// </summary>
internal sealed class End(string role, int index, int fd, bool busy)
{
    /// <summary>Represents an end of file in the list of what was seen; no errno is that large.</summary>
    internal const int EndOfFile = 4095;
    /// <summary>Replaced as a whole, because a blocked thread may add to it at any time.</summary>
    private volatile int[] _seen = [];
    private readonly Lock _gate = new();
    private int _seenInitially;

    /// <summary><c>server</c>, <c>client</c>, <c>decoy-server</c>, <c>decoy-client</c> or <c>listener</c>.</summary>
    internal string Role => role;

    internal int Index => index;

    /// <summary>The descriptor; -1 once it was closed on request.</summary>
    internal int Fd { get; private set; } = fd;
    internal bool Busy { get; set; } = busy;
    /// <summary>The call in which a thread of the holder is blocked on this socket, if any.</summary>
    internal BlockedCall? Blocked { get; set; }
    internal string? Sent { get; private set; }

    /// <summary>Whether an error or end of file was seen since the holder got the socket.</summary>
    internal bool HasEnded => Fd < 0 || _seen.Length > _seenInitially;

    /// <summary>alive, eof, or the first error in one word, which takes precedence over an end of file.</summary>
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

    /// <summary>Makes the current state the initial one: a CLOSE_WAIT socket has its end of file from the start.</summary>
    internal void MarkAsInitial() => _seenInitially = _seen.Length;

    internal void AddSeen(int observation)
    {
        lock (_gate)
        {
            if (Array.IndexOf(_seen, observation) < 0)
            {
                _seen = [.. _seen, observation];
            }
        }
    }

    private void AddReceived(nint received)
    {
        if (received == 0)
        {
            AddSeen(EndOfFile);
        }
        else if (received < 0 && Errno.Last is not (Errno.EAGAIN or Errno.EINTR))
        {
            AddSeen(Errno.Last);
        }
    }

    /// <summary>Looks at a socket for which poll(2) reported events.</summary>
    internal unsafe void Look(short events)
    {
        if (role == "listener")
        {
            if (Tcp.State(Fd) != Tcp.Listen)
            {
                AddSeen(Errno.EINVAL);
            }

            return;
        }
        // A blocked call has to get the error first.
        Blocked?.WaitIfEnding(events);
        if ((events & (Posix.POLLERR | Posix.POLLHUP)) != 0 && Tcp.TakeError(Fd) is var error and not 0)
        {
            AddSeen(error);
        }

        byte one;
        nint received = Libc.Receive(Fd, &one, 1, Posix.MSG_PEEK | Posix.MSG_DONTWAIT);
        AddReceived(received);
    }

    /// <summary>Writes one byte and stores the result; a full send buffer (EAGAIN) is not a failure.</summary>
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
            AddSeen(Errno.Last);
        }
    }

    /// <summary>Reads all that has arrived and writes one byte, as a busy connection does; or only reads.</summary>
    internal unsafe void Exchange(bool isTalker)
    {
        const int ScratchSize = 512;
        byte* scratch = stackalloc byte[ScratchSize];
        nint received;
        do
        {
            received = Libc.Receive(Fd, scratch, ScratchSize, Posix.MSG_DONTWAIT);
        }
        while (received > 0);
        AddReceived(received);
        if (_seen.Length > 0)
        {
            Busy = false;
        }
        else if (isTalker)
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

    /// <summary>The end as <c>list</c> shows it: role, index, view, TCP state, then optional words.</summary>
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
