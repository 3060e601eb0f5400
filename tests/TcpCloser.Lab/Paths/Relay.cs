namespace TcpCloser.Lab.Paths;

/// <summary>
/// A slow path: carries packets between a tun device of this network namespace and one of another, with a delay. It can be cut, so
/// that packets are lost, and restored; every command is a line of stdin: <c>delay MS</c>, <c>cut</c>, <c>mend</c>.
/// </summary>
internal sealed unsafe class Relay
{
    private const int MaxPacketSize = 64 * 1024;
    private const int MaxQueueLength = 20_000;
    private readonly int[] _devices;
    private readonly Queue<(long Due, byte[] Packet)>[] _queues = [new(), new()];
    private readonly byte[] _buffer = new byte[MaxPacketSize];
    private long _delayMs;
    private bool _isCut;

    private Relay(int near, int far, int delayMs)
    {
        _devices = [near, far];
        _delayMs = delayMs;
    }

    private static long Now => Stopwatch.GetTimestamp() * 1000 / Stopwatch.Frequency;

    /// <summary>Creates both devices, prints READY, and carries packets until the end of stdin.</summary>
    internal static int Run(string device, int farPid, int delayMs)
    {
        int near = TunDevice.Open(device);
        TunDevice.Enter(farPid);
        var relay = new Relay(near, TunDevice.Open(device), delayMs);
        LineWriter.Write(["READY"]);
        relay.Forward();
        return 0;
    }

    private void Forward()
    {
        LineReader reader = new(fd: 0);
        PollFd* entries = stackalloc PollFd[3];
        while (true)
        {
            entries[0] = new PollFd { Fd = 0, Events = Posix.POLLIN };
            entries[1] = new PollFd { Fd = _devices[0], Events = Posix.POLLIN };
            entries[2] = new PollFd { Fd = _devices[1], Events = Posix.POLLIN };
            _ = Libc.Poll(entries, 3, TimeToNext());
            if (entries[0].Revents != 0)
            {
                if (reader.ReadLine() is not { } line)
                {
                    return;
                }

                Execute(line.Split(' '));
                LineWriter.Write(["."]);
            }

            for (int side = 0; side < 2; side++)
            {
                Receive(side);
                Deliver(side);
            }
        }
    }

    private void Execute(string[] words)
    {
        switch (words[0])
        {
            case "delay":
                _delayMs = int.Parse(words[1], CultureInfo.InvariantCulture);
                break;
            case "cut":
                _isCut = true;
                Array.ForEach(_queues, static queue => queue.Clear());
                break;
            case "mend":
                _isCut = false;
                break;
        }
    }

    private void Receive(int side)
    {
        fixed (byte* buffer = _buffer)
        {
            nint length;
            while ((length = Libc.Read(_devices[side], buffer, MaxPacketSize)) > 0)
            {
                if (!_isCut && _queues[side].Count < MaxQueueLength)
                {
                    _queues[side].Enqueue((Now + _delayMs, _buffer.AsSpan(0, (int)length).ToArray()));
                }
            }
        }
    }

    private void Deliver(int side)
    {
        while (_queues[side].TryPeek(out var next) && next.Due <= Now)
        {
            _ = _queues[side].Dequeue();
            fixed (byte* packet = next.Packet)
            {
                _ = Libc.Write(_devices[1 - side], packet, (nuint)next.Packet.Length);
            }
        }
    }

    private int TimeToNext()
    {
        long next = long.MaxValue;
        foreach (var queue in _queues)
        {
            next = queue.TryPeek(out var first) ? Math.Min(next, first.Due) : next;
        }

        return next == long.MaxValue ? -1 : (int)Math.Max(next - Now, 0);
    }
}
