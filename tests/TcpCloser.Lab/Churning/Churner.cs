namespace TcpCloser.Lab.Churning;

/// <summary>
/// Creates and closes connections as fast as possible, on the same tuples again and again, and judges every connection that
/// another process closed: it had to match, and to have received nothing for long enough. One thread visits all in turn.
/// </summary>
internal sealed unsafe class Churner
{
    /// <summary>A tick of the kernel's clock, by which an age may be too large.</summary>
    private const int TickMs = 10;
    private const int VisitsOfTalker = 200;
    private const int HandshakeMs = 10_000;
    private static readonly TimeSpan s_flushEvery = TimeSpan.FromMilliseconds(100);
    private readonly int _idleMs;
    private readonly int _keptPort;
    private readonly List<ChurnSlot> _slots = [];
    private readonly Dictionary<int, int> _listeners = [];
    private readonly List<string> _lines = [];
    private long _made;
    private long _ended;
    private long _closed;
    private long _late;
    private long _wrong;
    private long _refused;

    /// <param name="keptPort">A port whose connections must not be closed.</param>
    /// <param name="tuples">The number of simultaneous connections on each port.</param>
    /// <param name="idleMs">The idle time in ms from which a connection may be closed.</param>
    internal Churner(int[] ports, int keptPort, int tuples, int idleMs)
    {
        (_keptPort, _idleMs) = (keptPort, idleMs);
        Machine.BringLoopbackUp();
        Machine.RaiseOpenFiles();
        foreach (int port in ports.Append(keptPort))
        {
            SockAddress address = SockAddress.For(v6Socket: false, IPAddress.Loopback, port);
            int fd = Listeners.OpenSocket(v6: false, mptcp: false, 0);
            Tcp.SetOption(fd, Posix.SOL_SOCKET, Posix.SO_REUSEADDR, 1, "SO_REUSEADDR");
            Errno.Check(Libc.Bind(fd, &address, address.Length), "bind");
            Errno.Check(Libc.Listen(fd, 16), "listen");
            Tcp.SetNonBlocking(fd, true);
            _listeners[port] = fd;
            for (int i = 0; i < tuples; i++)
            {
                _slots.Add(new ChurnSlot(port, 30000 + _slots.Count, (ChurnKind)(i % 4)));
            }
        }
    }

    internal void Run()
    {
        long flushed = Stopwatch.GetTimestamp();
        bool isOver = false;
        while (!isOver)
        {
            foreach (ChurnSlot slot in _slots)
            {
                Visit(slot);
            }

            if (Stopwatch.GetElapsedTime(flushed) > s_flushEvery)
            {
                flushed = Stopwatch.GetTimestamp();
                LineWriter.Write(_lines);
                _lines.Clear();
                PollFd input = new() { Fd = 0, Events = Posix.POLLIN };
                isOver = Libc.Poll(&input, 1, 0) != 0;
            }
        }

        // No new connections: the last visit sees everything that was closed.
        foreach (ChurnSlot slot in _slots.Where(static slot => slot.Server >= 0))
        {
            Visit(slot);
        }

        foreach (ChurnSlot slot in _slots.Where(static slot => slot.Server >= 0))
        {
            End(slot);
        }

        _lines.Add($"made={_made} ended={_ended} closed={_closed} late={_late} wrong={_wrong} refused={_refused}");
        LineWriter.Write(_lines);
    }

    private void Visit(ChurnSlot slot)
    {
        if (slot.Server < 0)
        {
            Make(slot);
        }
        else if (Tcp.State(slot.Server) != Tcp.Established || Tcp.State(slot.Client) != Tcp.Established)
        {
            Judge(slot);
            slot.Close();
        }
        else if (IsOver(slot))
        {
            End(slot);
        }
        else if (slot.Kind is ChurnKind.Short or ChurnKind.Talker)
        {
            slot.Talk(_idleMs - TickMs);
        }
    }

    /// <summary>Closes a connection. Another process may do so at the same moment, if it has been idle for long enough.</summary>
    private void End(ChurnSlot slot)
    {
        string inode = Inode(slot);
        slot.Close();
        _ended++;
        if (slot.WasIdle || slot.Age >= _idleMs - TickMs)
        {
            _lines.Add($"ended inode={inode}");
        }
    }

    private bool IsOver(ChurnSlot slot) => slot.Kind switch
    {
        ChurnKind.Short => slot.Visits++ >= 1,
        ChurnKind.Talker => slot.Visits++ >= VisitsOfTalker,
        ChurnKind.Idle => slot.Age > 20 * _idleMs,
        ChurnKind.Fleeting => true,
        _ => throw new InvalidOperationException(),
    };

    /// <summary>
    /// Accepts the slot's connection. A connection whose server end was closed before it was accepted may be queued in front of
    /// it: its connect(2) failed, and mistaking it for this one would shift all that follow.
    /// </summary>
    private int Accept(ChurnSlot slot)
    {
        while (true)
        {
            SockAddress peer = default;
            uint length = (uint)sizeof(SockAddress);
            int server = Libc.Accept4(_listeners[slot.Port], &peer, &length, Posix.SOCK_CLOEXEC);
            if (server < 0 || peer.ToEndpoint().Port == slot.ClientPort)
            {
                return server;
            }

            _ = Libc.Close(server);
        }
    }

    private void Make(ChurnSlot slot)
    {
        SockAddress own = SockAddress.For(v6Socket: false, IPAddress.Loopback, slot.ClientPort);
        SockAddress target = SockAddress.For(v6Socket: false, IPAddress.Loopback, slot.Port);
        int client = Listeners.OpenSocket(v6: false, mptcp: false, 0);
        Tcp.SetOption(client, Posix.SOL_SOCKET, Posix.SO_REUSEADDR, 1, "SO_REUSEADDR");
        double before = ChurnSlot.Now;

        // A process that fetched a socket to disconnect it may still hold the previous one on this tuple.
        if (Libc.Bind(client, &own, own.Length) < 0 || Libc.Connect(client, &target, target.Length) < 0)
        {
            _refused++;
            _ = Libc.Close(client);
            return;
        }

        // On a loaded machine the last segment of the handshake may take a while.
        PollFd listener = new() { Fd = _listeners[slot.Port], Events = Posix.POLLIN };
        _ = Libc.Poll(&listener, 1, HandshakeMs);
        int server = Accept(slot);
        if (server < 0)
        {
            _refused++;
            _ = Libc.Close(client);
            return;
        }

        _made++;
        slot.Begin(server, client, before);
    }

    /// <summary>Judges a connection that another process closed. Its age here is at least the age that this process saw.</summary>
    private void Judge(ChurnSlot slot)
    {
        double age = slot.Age;
        string verdict = slot.Port == _keptPort ? "wrong" : age >= _idleMs - TickMs ? "closed" : slot.WasIdle ? "late" : "wrong";
        _closed++;
        _late += verdict == "late" ? 1 : 0;
        _wrong += verdict == "wrong" ? 1 : 0;
        _lines.Add(string.Create(
            CultureInfo.InvariantCulture,
            $"{verdict} inode={Inode(slot)} port={slot.Port} client-port={slot.ClientPort} kind={slot.Kind} age={age:F1}ms"));
    }

    private static string Inode(ChurnSlot slot)
        => (new FileInfo($"/proc/self/fd/{slot.Server}").LinkTarget ?? throw new LabException("a socket without a link in /proc/self/fd"))[8..^1];
}
