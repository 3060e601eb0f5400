namespace TcpCloser.Lab.Churning;

/// <summary>An address-port tuple that is used by one connection after another.</summary>
internal sealed unsafe class ChurnSlot(int port, int clientPort, ChurnKind kind)
{
    private const int SO_LINGER = 13;
    /// <summary>The maximum time from a dump to the last connection of a round, on a loaded machine.</summary>
    private const double RoundMs = 10_000;
    private double _lastData;
    private double _silenceEnded;

    internal int Port => port;
    internal int ClientPort => clientPort;
    internal ChurnKind Kind => kind;
    internal int Server { get; private set; } = -1;
    internal int Client { get; private set; } = -1;
    internal int Visits { get; set; }

    /// <summary>
    /// The time in ms, by the clock that advances with the kernel's ticks, like the timestamps on sockets. If the hypervisor
    /// delays a tick, both stand still and then jump: an age may exceed the time that has passed, by both clocks alike.
    /// </summary>
    internal static double Now
    {
        get
        {
            long* time = stackalloc long[2];
            _ = Libc.ClockGetTime(Posix.CLOCK_MONOTONIC_COARSE, time);
            return (time[0] * 1e3) + (time[1] / 1e6);
        }
    }

    /// <summary>The maximum time in ms since the server end last received data, or was created.</summary>
    internal double Age => Now - _lastData;

    /// <summary>Whether an idle period ended a short time ago: the connection was idle in a dump that may still be in use.</summary>
    internal bool WasIdle => _silenceEnded != 0 && Now - _silenceEnded < RoundMs;

    /// <param name="before">The time before they were connected, which on a loaded machine may be long ago.</param>
    internal void Begin(int server, int client, double before)
    {
        (Server, Client, Visits) = (server, client, 0);
        _silenceEnded = 0;
        _lastData = before;
        // Closing sends a reset, so that the tuple is free at once.
        foreach (int fd in new[] { server, client })
        {
            ulong linger = 1; // struct linger { l_onoff = 1, l_linger = 0 }
            Errno.Check(Libc.SetSockOpt(fd, Posix.SOL_SOCKET, SO_LINGER, &linger, sizeof(ulong)), "setsockopt SO_LINGER");
        }
    }

    internal void Talk(int idleMs)
    {
        byte data = 1;
        double before = Now;
        if (Libc.Send(Client, &data, 1, Posix.MSG_NOSIGNAL) == 1) // on loopback it has arrived by now
        {
            _silenceEnded = Age >= idleMs ? Now : _silenceEnded;
            _lastData = before;
        }

        _ = Libc.Receive(Server, &data, 1, Posix.MSG_DONTWAIT);
    }

    internal void Close()
    {
        _ = Libc.Close(Client);
        _ = Libc.Close(Server);
        (Server, Client) = (-1, -1);
    }
}

/// <summary>What happens on a connection while it exists.</summary>
internal enum ChurnKind
{
    Short, // one exchange of data, then the end
    Talker, // data at every visit, for a while
    Idle, // no data, until another process closes it
    Fleeting, // ended at the next visit
}
