namespace TcpCloser.Kill;

/// <summary>A peer that is asked: where its socket is held, and what has been asked so far. Times by the monotonic clock, in milliseconds.</summary>
internal struct ProbedPeer
{
    /// <summary>Its place in the list of candidates; negative: its verdict is final.</summary>
    public int Index;

    /// <summary>A process that holds the socket, and its descriptor there.</summary>
    public int Pid;
    public int Fd;

    /// <summary>How far apart its probes are; 0: not known yet.</summary>
    public uint IntervalMs;

    /// <summary>How many were asked for, and how many of them were seen to leave.</summary>
    public int Asked;
    public int Sent;

    /// <summary>When the first and the last were asked for; 0: none was.</summary>
    public long FirstAskedAt;
    public long LastAskedAt;

    /// <summary>When the next is due; the highest value: there is none.</summary>
    public long NextAt;
}
