namespace TcpCloser.Lab;

/// <summary>
/// A neighbour of the measured program: two processes with one TCP connection over loopback, of which one sends a byte and the
/// other answers, as fast as possible. The latencies are counted in memory that they share with the Lab.
/// </summary>
internal sealed unsafe class LatencyPair : IDisposable
{
    private const int PROT_READ_WRITE = 3;
    private const int MAP_SHARED_ANONYMOUS = 0x21;
    /// <summary>One counter per microsecond; the last one is for everything longer.</summary>
    private const int Buckets = 1 << 20;
    private readonly int* _counters;
    private readonly int _requester;
    private readonly int _responder;

    internal LatencyPair()
    {
        _counters = (int*)Libc.Map(null, Buckets * sizeof(int), PROT_READ_WRITE, MAP_SHARED_ANONYMOUS, -1, 0);
        int listener = Errno.Check(Libc.Socket(Posix.AF_INET, Posix.SOCK_STREAM | Posix.SOCK_CLOEXEC, 0), "socket");
        int requesting = Errno.Check(Libc.Socket(Posix.AF_INET, Posix.SOCK_STREAM | Posix.SOCK_CLOEXEC, 0), "socket");
        var any = SockAddress.For(v6Socket: false, IPAddress.Loopback, 0);
        uint length = any.Length;
        Errno.Check(Libc.Bind(listener, &any, length), "bind");
        Errno.Check(Libc.Listen(listener, 1), "listen");
        Errno.Check(Libc.GetSockName(listener, &any, &length), "getsockname");
        Errno.Check(Libc.Connect(requesting, &any, length), "connect");
        int responding = Errno.Check(Libc.Accept4(listener, null, null, Posix.SOCK_CLOEXEC), "accept4");
        _responder = Fork(responding, null);
        _requester = Fork(requesting, _counters);
        _ = Libc.Close(listener);
        _ = Libc.Close(requesting);
        _ = Libc.Close(responding);
    }

    internal void Begin() => new Span<int>(_counters, Buckets).Clear();

    /// <summary>The result: <c>pair-p50-us=20 pair-p99-us=40 pair-p999-us=80 pair-answers=5000</c>.</summary>
    internal string Describe()
    {
        int[] counters = new Span<int>(_counters, Buckets).ToArray();
        long answers = 0;
        foreach (int count in counters)
        {
            answers += count;
        }

        return $"pair-p50-us={Percentile(counters, answers * 0.5)} pair-p99-us={Percentile(counters, answers * 0.99)} "
            + $"pair-p999-us={Percentile(counters, answers * 0.999)} pair-answers={answers}";
    }

    public void Dispose()
    {
        foreach (int pid in (ReadOnlySpan<int>)[_requester, _responder])
        {
            _ = Libc.Kill(pid, Posix.SIGKILL);
            _ = Libc.WaitPid(pid, null, 0);
        }

        _ = Libc.Unmap(_counters, Buckets * sizeof(int));
    }

    /// <summary>The time in microseconds within which that many answers had arrived.</summary>
    private static int Percentile(int[] counters, double answers)
    {
        long seen = 0;
        int us = 0;
        while (us < Buckets - 1 && (seen += counters[us]) < answers)
        {
            us++;
        }

        return us;
    }

    private static int Fork(int fd, int* counters)
    {
        int pid = Libc.Fork();
        if (pid == 0)
        {
            _ = Libc.PrctlAfterFork(Posix.PR_SET_PDEATHSIG, Posix.SIGKILL, 0, 0, 0);
            Exchange(fd, counters);
            Libc.ExitAtOnce(0);
        }

        return pid > 0 ? pid : throw new LabException("fork failed");
    }

    /// <summary>Sends requests and counts, or without counters answers, until the other process is gone.</summary>
    private static void Exchange(int fd, int* counters)
    {
        byte one = 0;
        long* times = stackalloc long[4];
        bool isConnected = true;
        while (isConnected && counters is null)
        {
            isConnected = Libc.ReadAfterFork(fd, &one, 1) == 1 && Libc.WriteAfterFork(fd, &one, 1) == 1;
        }

        while (isConnected)
        {
            _ = Libc.ClockGetTime(Posix.CLOCK_MONOTONIC, times);
            isConnected = Libc.WriteAfterFork(fd, &one, 1) == 1 && Libc.ReadAfterFork(fd, &one, 1) == 1;
            _ = Libc.ClockGetTime(Posix.CLOCK_MONOTONIC, times + 2);
            long us = ((times[2] - times[0]) * 1_000_000) + ((times[3] - times[1]) / 1000);
            counters[us < Buckets ? us : Buckets - 1]++;
        }
    }
}
