namespace TcpCloser.Kill;

/// <summary>A peer that is asked: where its socket is held, and what has been asked so far. Times by the monotonic clock, in milliseconds.</summary>
internal struct ProbedPeer
{
    /// <summary>Its place in the list of candidates.</summary>
    public int Index;

    /// <summary>A process that holds the socket, and its descriptor there.</summary>
    public int Pid;
    public int Fd;

    /// <summary>How many probes may be sent; 0: not known yet.</summary>
    public int Allowed;

    /// <summary>How many were seen to leave.</summary>
    public int Sent;

    /// <summary>When the first was asked for; 0: none was.</summary>
    public long FirstAskedAt;

    /// <summary>When the next is due.</summary>
    public long NextAt;
}
