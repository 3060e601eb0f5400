namespace TcpCloser.Lab.Holding;

/// <summary>
/// A process that holds ends of connections that the Lab created and handed over. To the kernel and to /proc it is what a server
/// or client program is: the only holder of its sockets, except for those that sharers also hold.
/// </summary>
internal sealed unsafe class Holder(int everyMs, string onTerm, string talker, string processName)
{
    private readonly ControlChannel _channel = new(ChildProcess.ControlDescriptor);
    private readonly EndTable _ends = new();

    /// <summary>Serves the control channel until its end; returns the exit status.</summary>
    internal int Run(string thread)
    {
        DieWithParent();
        SetName();
        _ = Machine.RaiseOpenFiles();
        int signals = PrepareTerm();
        return HolderThread.Run(thread, () => Serve(signals));
    }

    private int Serve(int signals)
    {
        PollFd* entries = stackalloc PollFd[2];
        entries[0] = new PollFd { Fd = _channel.Fd, Events = Posix.POLLIN };
        entries[1] = new PollFd { Fd = signals, Events = Posix.POLLIN };
        long next = Stopwatch.GetTimestamp();
        while (true)
        {
            bool busy = _ends.AnyBusy;
            int ready = Libc.Poll(entries, 2, busy ? MillisecondsUntil(next) : -1);
            if (ready > 0 && entries[1].Revents != 0)
            {
                return EndCleanly();
            }

            if (busy && MillisecondsUntil(next) == 0)
            {
                _ends.Exchange(talker);
                next = Stopwatch.GetTimestamp() + (everyMs * Stopwatch.Frequency / 1000);
            }
            if (ready > 0 && entries[0].Revents != 0 && !ServeOne())
            {
                return 0;
            }
        }
    }

    private static int MillisecondsUntil(long timestamp)
        => (int)Math.Max(0, Math.Ceiling((timestamp - Stopwatch.GetTimestamp()) * 1000.0 / Stopwatch.Frequency));

    /// <summary>Changes the name in /proc/PID/comm, which is that of the first thread, the caller.</summary>
    private void SetName()
    {
        if (processName.Length == 0)
        {
            return;
        }

        fixed (byte* name = (byte[])[.. Convert.FromHexString(processName), 0])
        {
            Errno.Check(Libc.Prctl(Posix.PR_SET_NAME, (nuint)name, 0, 0, 0), "prctl PR_SET_NAME");
        }
    }

    /// <summary>
    /// Ensures that no process of the Lab outlives it: SIGKILL when the thread that started it ends, and exit if that thread had
    /// ended before.
    /// </summary>
    internal static void DieWithParent()
    {
        Errno.Check(Libc.Prctl(Posix.PR_SET_PDEATHSIG, Posix.SIGKILL, 0, 0, 0), "prctl PR_SET_PDEATHSIG");
        PollFd entry = new() { Fd = ChildProcess.ControlDescriptor, Events = Posix.POLLIN };
        if (Libc.Poll(&entry, 1, 0) > 0 && (entry.Revents & Posix.POLLHUP) != 0)
        {
            Environment.Exit(0);
        }
    }

    /// <summary>Sets up the effect of SIGTERM, which is blocked in every thread from the start; returns a signalfd(2) or -1.</summary>
    private int PrepareTerm()
    {
        ulong terminate = 1UL << (Posix.SIGTERM - 1);
        switch (onTerm)
        {
            case "clean":
                return Errno.Check(Libc.SignalFd(-1, &terminate, Posix.O_CLOEXEC), "signalfd");
            case "ignore":
                _ = Libc.Signal(Posix.SIGTERM, Posix.SIG_IGN);
                return -1;
            default:
                Errno.Check(Libc.SigProcMask(Posix.SIG_UNBLOCK, &terminate, null), "sigprocmask");
                return -1;
        }
    }

    private int EndCleanly()
    {
        foreach (var end in _ends.Ends)
        {
            if (end.Fd >= 0)
            {
                _ = Libc.Shutdown(end.Fd, Posix.SHUT_RDWR);
            }

            end.Close();
        }
        return 0;
    }

    /// <summary>Answers one request; false if the Lab is gone.</summary>
    private bool ServeOne()
    {
        List<int> descriptors = [];
        if (_channel.Receive(descriptors) is not { } request)
        {
            return false;
        }

        try
        {
            return _channel.Answer(Serve(request.Split(' '), descriptors));
        }
        catch (LabException failure)
        {
            return _channel.Send("!" + failure.Message);
        }
    }

    private IEnumerable<string> Serve(string[] words, List<int> descriptors) => words[0] switch
    {
        "add" => Add(words, descriptors),
        "settle" => Settle(),
        "block" => Block(words[1], words[2], words[3..]),
        "state" => _ends.Count(),
        "list" => _ends.List(),
        "ended" => [_ends.CountEnded(words[1])],
        "send" => _ends.Send(),
        "close" => Do(() => _ends.Close(words[1])),
        "reuse" => Do(() => _ends.Reuse(words[1], Number(words[2]), Number(words[3]))),
        "give" => Do(() => Keeper.Give(_ends.Find(words[1], Number(words[2])).Fd, words[3])),
        "leave-in-bus" => Do(() => BusClient.LeaveInDaemon(_ends.Find(words[1], Number(words[2])).Fd, words[3])),
        "busy-off" => Do(_ends.StopBusy),
        "accept" => Acceptor.Accept(_ends.Find("listener", Number(words[1])).Fd),
        "run" => ProgramRunner.Run(words[2..], words[1] == "inherit" ? _ends.Ends[0].Fd : -1),
        _ => throw new LabException($"unknown command '{words[0]}' for a holder"),
    };

    private static int Number(string word) => int.Parse(word, CultureInfo.InvariantCulture);

    private static string[] Do(Action action)
    {
        action();
        return [];
    }

    /// <summary><c>add ROLE FIRST-INDEX FIRST-BUSY-INDEX</c>, with the descriptors; the role <c>sharer</c> only keeps them open.</summary>
    private string[] Add(string[] words, List<int> descriptors)
    {
        int index = Number(words[2]);
        foreach (int fd in descriptors)
        {
            if (words[1] == "sharer")
            {
                _ends.Hold(fd);
            }
            else
            {
                _ends.Add(new End(words[1], index, fd, index >= Number(words[3])));
            }

            index++;
        }
        return [descriptors.Count.ToString(CultureInfo.InvariantCulture)];
    }

    private string[] Settle()
    {
        _ends.Look();
        foreach (var end in _ends.Ends)
        {
            end.MarkAsInitial();
        }

        return [];
    }

    /// <summary>
    /// <c>block KIND ROLE [TARGET…]</c>: one thread per end. The targets (hexadecimal socket addresses) are for connect, which
    /// answers with the address of each client.
    /// </summary>
    private List<string> Block(string kind, string role, string[] targets)
    {
        List<string> clients = [];
        foreach (End end in _ends.OfRole(role))
        {
            SockAddress target = default;
            if (targets.Length > 0)
            {
                target = MemoryMarshal.Read<SockAddress>(Convert.FromHexString(targets[end.Index % targets.Length]));
            }

            end.Blocked = BlockedCall.Start(kind, end, target);
            if (targets.Length > 0)
            {
                clients.Add($"{end.Index} {Tcp.LocalAddress(end.Fd).ToEndpoint()}");
            }
        }
        return clients;
    }
}
