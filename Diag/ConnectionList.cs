using System.Runtime.CompilerServices;

namespace TcpCloser.Diag;

/// <summary>How much a <see cref="ConnectionList"/> keeps of each connection.</summary>
internal enum DetailLevel
{
    /// <summary>What is needed to close it.</summary>
    Connection,

    /// <summary>Also the fields of tcp_info that are reported.</summary>
    TcpInfo,
}

/// <summary>
/// Connections in chunks: growing never copies, and a service reuses the chunks in its next round. References into the list remain
/// valid. The connections of one network namespace are contiguous.
/// </summary>
internal sealed class ConnectionList
{
    /// <summary>128 KiB per chunk: the GC does not move arrays of this size.</summary>
    private const int ChunkLength = 2048;

    private Connection[][] _chunks = [];

    /// <summary>The cgroup of each connection, in chunks of the same length: a connection stays at 64 bytes.</summary>
    private ulong[][] _cgroups = [];
    private readonly List<(NetworkNamespace Namespace, int Start)> _parts = [];

    /// <summary>
    /// By cookie, the number of segments received when <c>--probe</c> found the peer silent; null: no peer was found silent.
    /// </summary>
    private Dictionary<ulong, uint>? _segmentsWhenSilent;

    public int Count { get; private set; }

    /// <summary>How much is kept of each connection.</summary>
    public DetailLevel Level { get; set; }

    /// <summary>The reported fields of tcp_info of each connection; empty below <see cref="DetailLevel.TcpInfo"/>.</summary>
    public List<TcpDetail> Details { get; } = [];

    /// <summary>The rule that judged them idle; null: none was consulted.</summary>
    public IdleRule? JudgedBy { get; set; }

    public IClock Clock { get; init; } = MonotonicClock.Instance;

    /// <summary>When the first of them was judged, by <see cref="Clock"/>.</summary>
    public long JudgedAtMs { get; set; }

    /// <summary>The network namespaces that have connections in the list, each with its range of indexes; the end is exclusive.</summary>
    public IEnumerable<(NetworkNamespace Namespace, int Start, int End)> Parts
    {
        get
        {
            for (int i = 0; i < _parts.Count; i++)
            {
                int end = i + 1 < _parts.Count ? _parts[i + 1].Start : Count;
                if (_parts[i].Start < end)
                {
                    yield return (_parts[i].Namespace, _parts[i].Start, end);
                }
            }
        }
    }

    /// <summary>Inlined: every pass over the list goes through here.</summary>
    public ref Connection this[int index]
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => ref _chunks[(uint)index / ChunkLength][(uint)index % ChunkLength];
    }

    /// <summary>The id of the cgroup v2 of a connection's socket; 0: the kernel did not report it, as for TIME_WAIT.</summary>
    public ulong CgroupOf(int index) => _cgroups[(uint)index / ChunkLength][(uint)index % ChunkLength];

    /// <summary>The network namespace of a connection.</summary>
    public NetworkNamespace NamespaceOf(int index) => _parts[PartOf(index)].Namespace;

    /// <summary>The number of a connection's namespace, in the order in which the namespaces were listed.</summary>
    public int PartOf(int index)
    {
        int low = 0;
        for (int high = _parts.Count - 1; low < high;)
        {
            int middle = (low + high + 1) / 2;
            (low, high) = _parts[middle].Start <= index ? (middle, high) : (low, middle - 1);
        }

        return low;
    }

    /// <summary>Whether the peer of a connection was judged silent in this round.</summary>
    public bool IsCalledSilent(int index) => _segmentsWhenSilent is not null && _segmentsWhenSilent.ContainsKey(this[index].Cookie);

    /// <summary>Records that the peer of a connection is silent.</summary>
    /// <param name="segmentsIn">The segments that the connection has received so far.</param>
    public void CallSilent(int index, uint segmentsIn) => (_segmentsWhenSilent ??= [])[this[index].Cookie] = segmentsIn;

    /// <summary>
    /// Whether the peer of a connection was heard from after it was found silent. The number of segments shows that, not the clocks: a
    /// keepalive probe of the peer is counted, but moves no clock.
    /// </summary>
    public bool IsSilentNoMore(int index, in SocketFacts facts) =>
        _segmentsWhenSilent is not null && _segmentsWhenSilent.TryGetValue(this[index].Cookie, out uint segments) && facts.SegmentsIn != segments;

    /// <summary>
    /// Judges a connection as it is now, and stores its age. The judgement is in <paramref name="now"/>; the outcome in the list does not
    /// change.
    /// </summary>
    public void JudgeAgain(int index, ref Connection now, in SocketFacts facts)
    {
        JudgedBy?.Judge(ref now, in facts);
        this[index].IdleMs = now.IdleMs;
        if (Level == DetailLevel.TcpInfo)
        {
            Details[index] = new TcpDetail(now.IdleMs != Connection.UnknownAge, in facts);
        }
    }

    /// <summary>Starts a namespace: connections added from here on are in it.</summary>
    public void Begin(NetworkNamespace network) => _parts.Add((network, Count));

    /// <summary>Adds a connection, and as many of its facts as the level requires.</summary>
    public void Add(in Connection connection, in SocketFacts facts, ulong cgroup)
    {
        Add(in connection, cgroup);
        if (Level == DetailLevel.TcpInfo)
        {
            Details.Add(new TcpDetail(connection.IdleMs != Connection.UnknownAge, in facts));
        }
    }

    public void Add(in Connection connection, ulong cgroup = 0)
    {
        if (Count == _chunks.Length * ChunkLength)
        {
            _chunks = [.. _chunks, GC.AllocateUninitializedArray<Connection>(ChunkLength)];
            _cgroups = [.. _cgroups, GC.AllocateUninitializedArray<ulong>(ChunkLength, pinned: true)];
        }

        _cgroups[(uint)Count / ChunkLength][(uint)Count % ChunkLength] = cgroup;
        this[Count++] = connection;
    }

    /// <summary>Adds the connections that are no longer <see cref="Outcome.Pending"/> to another list of the same level.</summary>
    public void CopySkippedTo(ConnectionList other)
    {
        foreach ((NetworkNamespace network, int start, int end) in Parts)
        {
            other.Begin(network);
            for (int i = start; i < end; i++)
            {
                if (this[i].Outcome != Outcome.Pending)
                {
                    other.Add(in this[i], CgroupOf(i));
                    if (Level == DetailLevel.TcpInfo)
                    {
                        other.Details.Add(Details[i]);
                    }
                }
            }
        }
    }

    /// <summary>Removes what was added since the last <see cref="Begin"/>.</summary>
    public void ClearPart() => Truncate(_parts[^1].Start);

    public void Clear()
    {
        _parts.Clear();
        _segmentsWhenSilent = null;
        Truncate(0);
    }

    /// <summary>Removes the connections that are no longer <see cref="Outcome.Pending"/>.</summary>
    public void KeepPending() => Keep(static outcome => outcome == Outcome.Pending);

    /// <summary>Removes the connections whose outcome the predicate rejects.</summary>
    public void Keep(Predicate<Outcome> isKept)
    {
        int kept = 0;
        int part = 0;
        for (int i = 0; i < Count; i++)
        {
            for (; part < _parts.Count && _parts[part].Start == i; part++)
            {
                _parts[part] = (_parts[part].Namespace, kept);
            }

            if (isKept(this[i].Outcome))
            {
                this[kept] = this[i];
                _cgroups[(uint)kept / ChunkLength][(uint)kept % ChunkLength] = CgroupOf(i);
                if (Level == DetailLevel.TcpInfo)
                {
                    Details[kept] = Details[i];
                }

                kept++;
            }
        }

        for (; part < _parts.Count; part++)
        {
            _parts[part] = (_parts[part].Namespace, kept);
        }

        Truncate(kept);
    }

    private void Truncate(int count)
    {
        Count = count;
        if (Details.Count > count)
        {
            Details.RemoveRange(count, Details.Count - count);
        }
    }
}
