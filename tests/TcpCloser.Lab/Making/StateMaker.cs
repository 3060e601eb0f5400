namespace TcpCloser.Lab.Making;

/// <summary>Brings new connections into the requested state, and waits until the kernel shows it.</summary>
internal static unsafe class StateMaker
{
    /// <summary>Brings established pairs into their state; closes the ends that do not exist in it.</summary>
    internal static void Prepare(LabOptions options, List<Pair> pairs)
    {
        foreach (var pair in pairs)
        {
            if (pair.Server < 0)
            {
                continue;
            }

            if (options.Unread > 0)
            {
                WriteUnread(pair, options.Unread);
            }

            if (options.Deaf)
            {
                Tcp.Deafen(pair.Client);
            }

            if (options.Unsent > 0)
            {
                WriteUnsent(pair, options.Unsent);
            }
            else if (options.FillsServer)
            {
                Fill(pair.Server);
            }
        }
        foreach (var pair in pairs)
        {
            if (pair.Server >= 0)
            {
                BringInto(options.State, pair);
            }

            if (options.RebindDevice.Length > 0)
            {
                Listeners.BindDevice(pair.Server, options.RebindDevice);
                Listeners.BindDevice(pair.Client, options.RebindDevice);
            }
            if (options.Orphan)
            {
                pair.CloseServer();
            }
        }
    }

    /// <summary>Waits for states without a descriptor: a half-open connection and TIME_WAIT are only in the kernel's own list.</summary>
    internal static void AwaitUnowned(LabOptions options, int[] listeners)
    {
        switch (options.State)
        {
            case "syn-recv":
                Wait.Until(() => ProcNetTcp.Count(options, Tcp.SynReceived) >= options.Count, "SYN_RECV");
                // From now on the clients' retransmitted SYNs are also dropped: a destroyed connection must not reappear by itself.
                foreach (int listener in listeners)
                {
                    Tcp.Deafen(listener);
                }

                break;
            case "time-wait":
                Wait.Until(() => ProcNetTcp.Count(options, Tcp.TimeWait) >= options.Count, "TIME_WAIT");
                break;
            case "unaccepted" or "listen":
                // accept() takes from a queue that the last segment of the handshake fills, a moment after connect() returned.
                Wait.Until(() => ProcNetTcp.Count(options, Tcp.Established) >= options.Count, "connections waiting to be accepted");
                break;
        }
    }

    private static void BringInto(string state, Pair pair)
    {
        switch (state)
        {
            case "fin-wait-1":
                ShutDown(pair.Server);
                Await(pair.Server, Tcp.FinWait1);
                break;
            case "fin-wait-2":
                ShutDown(pair.Server);
                Await(pair.Server, Tcp.FinWait2);
                break;
            case "close-wait":
                ShutDown(pair.Client);
                Await(pair.Server, Tcp.CloseWait);
                break;
            case "last-ack":
                ShutDown(pair.Client);
                Await(pair.Server, Tcp.CloseWait);
                ShutDown(pair.Server);
                Await(pair.Server, Tcp.LastAck);
                break;
            case "closing":
                ShutDown(pair.Server);
                ShutDown(pair.Client);
                Await(pair.Server, Tcp.Closing);
                break;
            case "time-wait":
                ShutDown(pair.Server);
                Await(pair.Client, Tcp.CloseWait);
                pair.CloseClient();
                Await(pair.Server, Tcp.Closed); // the descriptor's socket is closed; TIME_WAIT continues without it
                pair.CloseServer();
                break;
        }
    }

    private static void ShutDown(int fd) => Errno.Check(Libc.Shutdown(fd, Posix.SHUT_WR), "shutdown");
    private static void Await(int fd, int state) => Wait.Until(() => Tcp.State(fd) == state, Tcp.StateName(state));

    private static void WriteUnread(Pair pair, int bytes)
    {
        Write(pair.Client, bytes, "--unread");
        Wait.Until(() => Unread(pair.Server) == bytes, "the unread data");

        static int Unread(int fd)
        {
            int waiting;
            return Libc.Ioctl(fd, Posix.FIONREAD, &waiting) < 0 ? -1 : waiting;
        }
    }

    private static void WriteUnsent(Pair pair, int bytes)
    {
        Write(pair.Server, bytes, "--unsent");
        Wait.Until(() => Tcp.Pending(pair.Server) is { NotSentBytes: > 0 } or { Unacked: > 0 }, "data that the client does not accept");
    }

    private static void Write(int fd, int bytes, string option)
    {
        byte[] data = new byte[bytes];
        fixed (byte* start = data)
        {
            LabException.ThrowIf(Libc.Send(fd, start, (nuint)bytes, Posix.MSG_DONTWAIT | Posix.MSG_NOSIGNAL) != bytes,
                $"{option} {bytes}: more than fits into the socket's buffer");
        }
    }

    /// <summary>
    /// Writes until the client's window is closed and the server's buffer full; the data, and a FIN after it, stay
    /// queued.
    /// </summary>
    private static void Fill(int fd)
    {
        const int ChunkSize = 4096;
        byte* chunk = stackalloc byte[ChunkSize];
        new Span<byte>(chunk, ChunkSize).Clear();
        Wait.Until(
            () =>
            {
                while (Libc.Send(fd, chunk, ChunkSize, Posix.MSG_DONTWAIT | Posix.MSG_NOSIGNAL) > 0)
                {
                }
                return Tcp.Pending(fd).NotSentBytes > 0;
            },
            "a full send buffer");
    }
}
