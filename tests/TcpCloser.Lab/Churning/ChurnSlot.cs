using TcpCloser.Lab.Interop;

namespace TcpCloser.Lab.Churning;

/// <summary>A tuple on which one connection follows the other.</summary>
internal sealed unsafe class ChurnSlot(int port, int clientPort, ChurnKind kind)
{
    private const int SO_LINGER = 13;

    /// <summary>What a round takes at most from the list to the last connection, also on a busy machine.</summary>
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
    /// The time in ms, by the clock that goes with the kernel's ticks, as its stamps on sockets do. Where the hypervisor keeps a tick
    /// waiting both stand still and then jump: an age may be larger than the time that has passed, and is so by both.
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

    /// <summary>How many ms ago, at most, the server end last received something, or was made.</summary>
    internal double Age => Now - _lastData;

    /// <summary>Whether a silence of so many ms has ended a short time ago: when it was listed it was idle, and nobody looks again.</summary>
    internal bool WasIdle => _silenceEnded != 0 && Now - _silenceEnded < RoundMs;

    /// <param name="server">The server end.</param>
    /// <param name="client">The client end.</param>
    /// <param name="before">The time before they were connected: on a busy machine it may be long ago.</param>
    internal void Begin(int server, int client, double before)
    {
        (Server, Client, Visits) = (server, client, 0);
        _silenceEnded = 0;
        _lastData = before;
        // Closing resets, so that the tuple is free at once.
        foreach (int fd in new[] { server, client })
        {
            ulong linger = 1; // struct linger { l_onoff = 1, l_linger = 0 }
            Errno.Check(Libc.SetSockOpt(fd, Posix.SOL_SOCKET, SO_LINGER, &linger, sizeof(ulong)), "setsockopt SO_LINGER");
        }
    }

    /// <summary>A byte from the client to the server, which takes it.</summary>
    internal void Talk(int idleMs)
    {
        byte data = 1;
        double before = Now;
        if (Libc.Send(Client, &data, 1, Posix.MSG_NOSIGNAL) == 1) // on loopback it has arrived
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
