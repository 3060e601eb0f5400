namespace TcpCloser.Lab.Holding;

/// <summary>A thread that is blocked in a call on a socket, like a program's thread, and the result of the call.</summary>
internal sealed unsafe class BlockedCall
{
    private const int StackSize = 128 * 1024;
    private readonly TaskCompletionSource _done = new();
    private readonly string _kind;
    private readonly End _end;
    private readonly SockAddress _target;
    private volatile int _threadId;

    private BlockedCall(string kind, End end, SockAddress target)
    {
        _kind = kind;
        _end = end;
        _target = target;
    }

    /// <summary><c>read:pending</c> while it blocks; then <c>read:ECONNABORTED</c>, <c>read:0</c>, <c>poll:IN,ERR,HUP</c>.</summary>
    internal string Result { get; private set; } = "";

    /// <summary>Starts the thread and returns once the kernel shows it asleep in the call, or the call has returned.</summary>
    internal static BlockedCall Start(string kind, End end, SockAddress target)
    {
        BlockedCall call = new(kind, end, target) { Result = kind + ":pending" };
        Tcp.SetNonBlocking(end.Fd, on: false);
        new Thread(call.Run, StackSize) { IsBackground = true }.Start();
        Wait.Until(() => call._done.Task.IsCompleted || call.IsAsleep(), $"a thread blocked in {kind}");
        return call;
    }

    /// <summary>Gives the call time to return if poll(2) reports an event that ends it.</summary>
    internal void WaitIfEnding(short events)
    {
        const int WakeUpMs = 2000;
        short waking = _kind switch
        {
            "write" or "connect" => Posix.POLLERR | Posix.POLLHUP | Posix.POLLOUT,
            _ => Posix.POLLERR | Posix.POLLHUP | Posix.POLLIN | Posix.POLLRDHUP,
        };
        if ((events & waking) != 0)
        {
            _done.Task.Wait(WakeUpMs);
        }
    }

    private bool IsAsleep()
    {
        if (_threadId == 0)
        {
            return false;
        }
        // /proc/PID/task/TID/stat: the state follows the name, which is in brackets.
        string stat = File.ReadAllText(string.Create(CultureInfo.InvariantCulture, $"/proc/self/task/{_threadId}/stat"));
        return stat[stat.LastIndexOf(')') + 2] == 'S';
    }

    private void Run()
    {
        _threadId = Libc.GetThreadId();
        Result = _kind + ":" + _kind switch
        {
            "read" => Read(),
            "write" => Write(),
            "poll" => Poll(),
            "epoll" => Epoll(),
            "connect" => Connect(),
            _ => throw new LabException($"unknown blocking call {_kind}"),
        };
        _done.SetResult();
    }

    private string Read()
    {
        byte one;
        return Describe(Libc.Read(_end.Fd, &one, 1));
    }

    private string Write()
    {
        const int ChunkSize = 64 * 1024;
        byte[] chunk = new byte[ChunkSize];
        fixed (byte* data = chunk)
        {
            nint written;
            do // bytes that fitted into the buffer are returned first; the error comes with the next call
            {
                written = Libc.Send(_end.Fd, data, ChunkSize, Posix.MSG_NOSIGNAL);
            }
            while (written >= 0);
            return Describe(written);
        }
    }

    private string Poll()
    {
        PollFd entry = new() { Fd = _end.Fd, Events = Posix.POLLIN | Posix.POLLRDHUP };
        int ready = Libc.Poll(&entry, 1, -1);
        return ready < 0 ? Describe(ready) : Names(entry.Revents);
    }

    private string Epoll()
    {
        int epoll = Errno.Check(Libc.EpollCreate(Posix.O_CLOEXEC), "epoll_create1");
        byte* registration = stackalloc byte[16]; // struct epoll_event: 12 bytes packed on x86_64, 16 elsewhere; events come first
        *(uint*)registration = (ushort)(Posix.POLLIN | Posix.POLLRDHUP);
        Errno.Check(Libc.EpollControl(epoll, Posix.EPOLL_CTL_ADD, _end.Fd, registration), "epoll_ctl");
        int ready = Libc.EpollWait(epoll, registration, 1, -1);
        string result = ready < 0 ? Describe(ready) : Names((short)*(uint*)registration);
        _ = Libc.Close(epoll);
        return result;
    }

    private string Connect()
    {
        var target = _target;
        return Describe(Libc.Connect(_end.Fd, &target, target.Length));
    }

    private string Describe(nint result)
    {
        if (result >= 0)
        {
            return result.ToString(CultureInfo.InvariantCulture);
        }

        int errno = Errno.Last;
        _end.AddSeen(errno);
        return Errno.Name(errno);
    }

    private static string Names(short events)
    {
        List<string> names = [];
        foreach (var (bit, name) in new (short, string)[]
        {
            (Posix.POLLIN, "IN"), (Posix.POLLOUT, "OUT"), (Posix.POLLERR, "ERR"), (Posix.POLLHUP, "HUP"), (Posix.POLLRDHUP, "RDHUP"),
        })
        {
            if ((events & bit) != 0)
            {
                names.Add(name);
            }
        }
        return string.Join(',', names);
    }
}
