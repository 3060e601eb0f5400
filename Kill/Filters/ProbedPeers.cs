namespace TcpCloser.Kill;

/// <summary>A peer to probe. Times are in milliseconds of the monotonic clock.</summary>
internal struct ProbedPeer
{
    /// <summary>Its index in the list of candidates; negative: its verdict is final.</summary>
    public int Index;

    /// <summary>
    /// A holder of the socket, the thread whose descriptor table has it, and its descriptor there; <see cref="Pid"/> 0: no holder is known.
    /// </summary>
    public int Pid;
    public int Thread;
    public int Fd;

    /// <summary>How many probes were sent, and when the first and the last one were sent.</summary>
    public int Asked;
    public long FirstAskedAt;
    public long LastAskedAt;

    /// <summary>
    /// The segments and the bytes of data that the socket had received before the first probe. More segments mean an answer.
    /// </summary>
    public uint SegmentsIn;
    public ulong BytesReceived;

    /// <summary>How often its holder turned out to have closed the socket.</summary>
    public int Losses;
}

/// <summary>The peers without a verdict.</summary>
/// <param name="capacity">The maximum number of peers.</param>
internal sealed class ProbedPeers(int capacity)
{
    private readonly ProbedPeer[] _peers = new ProbedPeer[capacity];

    /// <summary>The peers that could not be probed.</summary>
    public UnaskedPeers Unasked { get; } = new();

    public int Count { get; private set; }

    public ref ProbedPeer this[int i] => ref _peers[i];

    public void Add(int index) => _peers[Count++] = new ProbedPeer { Index = index };

    /// <summary>Sorts the peers by the thread that holds their sockets, so that each thread is opened only once.</summary>
    public void SortByProcess() => _peers.AsSpan(0, Count).Sort(static (a, b) => a.Thread != b.Thread ? a.Thread.CompareTo(b.Thread) : a.Index.CompareTo(b.Index));

    /// <summary>Removes the peers whose verdict is final.</summary>
    public void Compact()
    {
        int kept = 0;
        for (int i = 0; i < Count; i++)
        {
            if (_peers[i].Index >= 0)
            {
                _peers[kept++] = _peers[i];
            }
        }

        Count = kept;
    }
}

/// <summary>
/// When a peer is probed, and when its time is over. Times are in milliseconds of the monotonic clock. A peer that is first probed at
/// <c>t</c> has a verdict at <c>t + TIME</c>. Only if this process was delayed and sent fewer than <see cref="MinQuestions"/> by then, it
/// sends the missing ones first.
/// </summary>
internal sealed class ProbeSchedule(TimeSpan time)
{
    /// <summary>A peer that does not answer this many probes is silent: so many packets are not lost by accident.</summary>
    public const int MinQuestions = 4;

    /// <summary>
    /// The minimum time between two probes: a kernel answers such segments at most every 500 ms (net.ipv4.tcp_invalid_ratelimit).
    /// </summary>
    private const uint MinIntervalMs = 600;

    private const uint QuestionsInTime = 10;

    /// <summary>How long a peer may be silent.</summary>
    public uint TimeMs { get; } = (uint)time.TotalMilliseconds;

    /// <summary>The time between two probes.</summary>
    public uint IntervalMs => Math.Max(LastAnswerMs, MinIntervalMs);

    /// <summary>How long the peer has to answer the last probe.</summary>
    private uint LastAnswerMs => TimeMs / QuestionsInTime;

    /// <summary>When the next probe is due; <see cref="long.MaxValue"/>: there is none.</summary>
    public long NextQuestionAt(ref readonly ProbedPeer peer)
    {
        if (peer.Asked == 0)
        {
            return long.MinValue;
        }

        long due = peer.LastAskedAt + IntervalMs;
        return peer.Asked >= MinQuestions && due > peer.FirstAskedAt + TimeMs - LastAnswerMs ? long.MaxValue : due;
    }

    /// <summary>
    /// When a peer that has not answered counts as silent; <see cref="long.MaxValue"/>: not before the next probe. A probe that is overdue
    /// because this process was stopped is still sent: the peer may have returned in the meantime.
    /// </summary>
    public long EndOf(ref readonly ProbedPeer peer) => NextQuestionAt(in peer) == long.MaxValue
        ? Math.Max(peer.FirstAskedAt + TimeMs, peer.LastAskedAt + LastAnswerMs)
        : long.MaxValue;
}
