namespace TcpCloser.Diag;

/// <summary>
/// The memory of <c>--matched-for</c>: since when each connection has matched in every round of this service. It takes 16 bytes per
/// connection, and a round that finds what the round before found allocates nothing.
/// </summary>
/// <param name="time">How long a connection has to have matched.</param>
internal sealed class MatchMemory(TimeSpan time)
{
    /// <summary>
    /// Before Linux 5.4, each network namespace counts its cookies separately, so each has a table of its own. By
    /// <see cref="NetworkNamespace.Id"/>.
    /// </summary>
    private readonly Dictionary<ulong, MatchTable> _tables = [];

    private readonly List<ulong> _empty = [];
    private readonly long _timeMs = (long)time.TotalMilliseconds;
    private MatchTable _table = new();
    private long _nowMs;

    /// <summary>How many connections are remembered.</summary>
    public int Count
    {
        get
        {
            int count = 0;
            foreach (MatchTable table in _tables.Values)
            {
                count += table.Count;
            }

            return count;
        }
    }

    /// <summary>Starts a round. All of its connections count as seen at this time.</summary>
    /// <param name="nowMs">By a <see cref="IClock"/>.</param>
    public void BeginRound(long nowMs)
    {
        _nowMs = nowMs;
        foreach (MatchTable table in _tables.Values)
        {
            table.BeginRound();
        }
    }

    /// <summary>Starts the listing of a namespace.</summary>
    public void Begin(NetworkNamespace network)
    {
        ulong id = network.Id;
        if (!_tables.TryGetValue(id, out MatchTable? table))
        {
            table = new MatchTable();
            _tables.Add(id, table);
        }

        _table = table;
        _table.BeginListing();
    }

    /// <summary>The kernel lists the namespace from the start again, or its listing failed.</summary>
    public void Restart() => _table.Restart();

    /// <summary>The namespace has been listed completely.</summary>
    public void Complete() => _table.IsListed = true;

    /// <summary>Records that a connection matches. Returns whether it has matched for the required time.</summary>
    public bool See(ulong cookie) => _nowMs - _table.See(cookie, _nowMs) >= _timeMs;

    /// <summary>Ends a round, and forgets the connections that no longer match.</summary>
    /// <param name="isWhole">
    /// Whether everything that the rule names was found. If not, a connection that did not match may do so again when its name is found.
    /// </param>
    public void EndRound(bool isWhole)
    {
        foreach ((ulong id, MatchTable table) in _tables)
        {
            table.EndRound(isWhole);
            if (table.Count == 0)
            {
                _empty.Add(id);
            }
        }

        foreach (ulong id in _empty)
        {
            _tables.Remove(id);
        }

        _empty.Clear();
    }
}

/// <summary>The part of the memory that belongs to one network namespace: an array, sorted by cookie.</summary>
internal sealed class MatchTable
{
    /// <summary>
    /// After this many rounds in a row that were not whole, what was not seen in them is forgotten all the same: a failure that lasts must
    /// not let the memory grow.
    /// </summary>
    private const int MaxPartialRounds = 10;

    private const int FirstCapacity = 16;

    private Entry[] _entries = [];

    /// <summary>The connections that this listing has seen for the first time, in its order.</summary>
    private Entry[] _added = [];
    private int _addedCount;

    /// <summary>
    /// Where the next connection probably is: the kernel gives a socket its cookie when it is first listed, and lists in the same order
    /// again.
    /// </summary>
    private int _next;
    private int _partialRounds;
    private bool _isVisited;

    /// <summary>Whether an entry may be marked as <see cref="Seen.Now"/>.</summary>
    private bool _anySeenNow;

    public int Count { get; private set; }

    /// <summary>Whether the namespace was listed completely in this round.</summary>
    public bool IsListed { get; set; }

    /// <summary>Starts a round. If the one before it was not whole, the connections that it saw count as seen before this one.</summary>
    public void BeginRound()
    {
        IsListed = _isVisited = false;
        if (!_anySeenNow)
        {
            return;
        }

        _anySeenNow = false;
        foreach (ref Entry entry in _entries.AsSpan(0, Count))
        {
            entry = entry.Seen == Seen.Now ? entry.MarkedAs(Seen.Before) : entry;
        }
    }

    public void BeginListing()
    {
        _isVisited = true;
        Restart();
    }

    public void Restart() => _next = _addedCount = 0;

    /// <summary>Marks a connection as seen. Returns since when it has matched.</summary>
    public long See(ulong cookie, long nowMs)
    {
        _anySeenNow = true;
        int i = _next < Count && _entries[_next].Cookie == cookie ? _next : Find(cookie);
        if (i < 0)
        {
            Append(new Entry(cookie, nowMs, Seen.Now));
            return nowMs;
        }

        _entries[i] = _entries[i].MarkedAs(Seen.Now);
        _next = i + 1;
        return _entries[i].SinceMs;
    }

    public void EndRound(bool isWhole)
    {
        bool isWholeHere = isWhole && (IsListed || !_isVisited);
        bool forgets = isWholeHere || ++_partialRounds >= MaxPartialRounds;
        if (forgets)
        {
            _partialRounds = 0;
            _anySeenNow = false;
            KeepSeen(isWholeHere ? Seen.Now : Seen.Before);
        }

        if (IsListed && _addedCount > 0)
        {
            Merge(forgets ? Seen.No : Seen.Now);
        }

        _addedCount = 0;
        if (_added.Length > Math.Max(Count / 8, FirstCapacity))
        {
            _added = []; // a flood of new connections is over
        }
    }

    /// <summary>Removes the connections that were seen earlier than that, or not at all, and the marks of the others.</summary>
    private void KeepSeen(Seen earliest)
    {
        int kept = 0;
        for (int i = 0; i < Count; i++)
        {
            if (_entries[i].Seen >= earliest)
            {
                _entries[kept++] = _entries[i].MarkedAs(Seen.No);
            }
        }

        Count = kept;
    }

    /// <summary>Adds the connections that were seen for the first time.</summary>
    private void Merge(Seen seen)
    {
        Array.Sort(_added, 0, _addedCount);
        if (Count == 0)
        {
            (_entries, _added) = (_added, _entries);
            Count = _addedCount;
            for (int i = 0; i < Count; i++)
            {
                _entries[i] = _entries[i].MarkedAs(seen);
            }

            return;
        }

        int length = Count + _addedCount;
        if (length > _entries.Length)
        {
            Array.Resize(ref _entries, length + length / 64); // not doubled: there may be a million
        }

        // From the end, so that no entry is overwritten before it has moved.
        int old = Count - 1;
        for (int added = _addedCount - 1; added >= 0;)
        {
            bool isOld = old >= 0 && _entries[old].Cookie > _added[added].Cookie;
            _entries[old + added + 1] = isOld ? _entries[old] : _added[added].MarkedAs(seen);
            (old, added) = isOld ? (old - 1, added) : (old, added - 1);
        }

        Count = length;
    }

    private void Append(Entry entry)
    {
        if (_addedCount == _added.Length)
        {
            Array.Resize(ref _added, Math.Max(FirstCapacity, _added.Length * 2));
        }

        _added[_addedCount++] = entry;
    }

    /// <summary>The index of a connection; negative: it is not remembered.</summary>
    private int Find(ulong cookie)
    {
        int low = 0;
        for (int high = Count; low < high;)
        {
            int middle = (int)((uint)(low + high) / 2);
            (low, high) = _entries[middle].Cookie < cookie ? (middle + 1, high) : (low, middle);
        }

        return low < Count && _entries[low].Cookie == cookie ? low : -1;
    }

    /// <summary>When a connection was last seen, since connections were last forgotten.</summary>
    private enum Seen
    {
        No,

        /// <summary>In an earlier round.</summary>
        Before,

        /// <summary>In this round.</summary>
        Now,
    }

    /// <summary>A connection, and since when it has matched; 16 bytes.</summary>
    private readonly struct Entry(ulong cookie, long sinceMs, Seen seen) : IComparable<Entry>
    {
        private const int SeenBits = 2;

        private readonly long _sinceMsAndSeen = sinceMs << SeenBits | (long)seen;

        public ulong Cookie { get; } = cookie;

        public long SinceMs => _sinceMsAndSeen >> SeenBits;

        public Seen Seen => (Seen)(_sinceMsAndSeen & ((1 << SeenBits) - 1));

        public Entry MarkedAs(Seen seen) => new(Cookie, SinceMs, seen);

        public int CompareTo(Entry other) => Cookie.CompareTo(other.Cookie);
    }
}
