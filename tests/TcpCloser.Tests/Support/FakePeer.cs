namespace TcpCloser.Tests.Support;

/// <summary>The other end of a <see cref="FakeTcp"/>: how it reacts to probes, and since when it has been quiet.</summary>
/// <param name="answer">How it reacts to a probe.</param>
/// <param name="quietMs">How long nothing was received from it, in milliseconds.</param>
internal sealed class FakePeer(FakeAnswer answer, uint quietMs)
{
    private FakeClock _clock = new();
    private long? _heardAt;
    private uint _heard;

    public FakeAnswer Answer { get; set; } = answer;
    public int Probed { get; private set; } // the number of probes that were sent
    public int Loses { get; init; } // how many of the first probes are lost on the way
    public uint SegmentsBefore { get; set; } = 7; // segments received before; 0 after the socket's own application has disconnected it
    public FakeClock Clock { set => _clock = value; } // the clock of the machine that the socket is on

    /// <summary>The socket as the kernel would dump it now, with current clocks and counts.</summary>
    public DumpedSocket Show(DumpedSocket socket)
    {
        uint quiet = (uint)(_clock.NowMs - HeardAt);
        return socket with
        {
            LastDataRecv = quiet,
            LastAckRecv = quiet,
            SegmentsIn = SegmentsBefore + _heard,
            BytesReceived = socket.BytesReceived ?? 100,
            Probes = 0,
            Unacked = socket.Unacked ?? 0,
            NotSent = socket.NotSent ?? 0,
            Rto = socket.Rto ?? 204_000,
            Backoff = socket.Backoff ?? 0,
        };
    }

    private long HeardAt => _heardAt ??= _clock.NowMs - quietMs;

    /// <summary>The peer sends something on its own.</summary>
    public void Hear()
    {
        _heardAt = _clock.NowMs;
        _heard++;
    }

    /// <summary>A probe is sent to the peer, which may answer.</summary>
    public void Probe(FakeTcp socket)
    {
        if (!socket.IsOpen || socket.Now.State != 1)
        {
            return; // the kernel sends in ESTABLISHED only
        }

        Probed++;
        switch (Probed > Loses ? Answer : FakeAnswer.Nothing)
        {
            case FakeAnswer.Acknowledge:
                Hear();
                break;
            case FakeAnswer.Reset:
                _heard++;
                socket.End("reset");
                break;
            case FakeAnswer.Nothing:
                break;
        }
    }
}

/// <summary>How a peer reacts to a keepalive probe.</summary>
internal enum FakeAnswer
{
    /// <summary>The peer is alive.</summary>
    Acknowledge,

    /// <summary>The peer, or the path to it, is gone.</summary>
    Nothing,

    /// <summary>The peer does not know the connection.</summary>
    Reset,
}
