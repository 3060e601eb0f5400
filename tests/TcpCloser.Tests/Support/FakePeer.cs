using TcpCloser.Interop;

namespace TcpCloser.Tests.Support;

/// <summary>The other end of a <see cref="FakeTcp"/>: what it does with keepalive probes, and since when it was quiet.</summary>
/// <param name="answer">What it does with a probe.</param>
/// <param name="quietMs">For how long nothing was received from it, in milliseconds.</param>
internal sealed class FakePeer(FakeAnswer answer, uint quietMs)
{
    private long _heardAt = Environment.TickCount64 - quietMs;

    public FakeAnswer Answer { get; set; } = answer;

    /// <summary>Probes that left, all told.</summary>
    public int Probed { get; private set; }

    /// <summary>Those that were not answered: tcpi_probes.</summary>
    public byte Unanswered { get; set; }

    /// <summary>What the kernel tells of the socket now, its clocks and counts instead of those that it was made with.</summary>
    public DumpedSocket Show(DumpedSocket socket)
    {
        uint quiet = (uint)(Environment.TickCount64 - _heardAt);
        return socket with
        {
            LastDataRecv = Math.Max(quiet, quietMs),
            LastAckRecv = quiet,
            SegmentsOut = 7 + (uint)Probed,
            Probes = Unanswered,
            Unacked = socket.Unacked ?? 0,
            NotSent = socket.NotSent ?? 0,
            Rto = socket.Rto ?? 204_000,
        };
    }

    /// <summary>Something is received from it that nobody asked for.</summary>
    public void Hear() => _heardAt = Environment.TickCount64;

    /// <summary>
    /// TCP_KEEPIDLE was set, and keepalive is on: the kernel starts its timer anew, which sends a probe at once where nothing was
    /// received for longer than that.
    /// </summary>
    public void StartTimer(FakeTcp socket)
    {
        if (!socket.IsOpen || Environment.TickCount64 - _heardAt < socket.Options[(Tcp.IPPROTO_TCP, Tcp.TCP_KEEPIDLE)] * 1000L)
        {
            return;
        }

        Probed++;
        switch (Answer)
        {
            case FakeAnswer.Acknowledge:
                _heardAt = Environment.TickCount64;
                Unanswered = 0;
                break;
            case FakeAnswer.Reset:
                socket.End("reset");
                break;
            case FakeAnswer.Nothing:
                Unanswered++;
                break;
        }
    }
}
