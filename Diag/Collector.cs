using TcpCloser.Interop;

namespace TcpCloser.Diag;

/// <summary>Sorts the sockets of a dump into candidates for closing and connections that matched but are skipped.</summary>
/// <param name="idleRule">Decides which connections are idle.</param>
/// <param name="keepLeftAlone">Whether skipped connections are kept, to be reported.</param>
/// <param name="level">How much is kept of each.</param>
/// <param name="clock">The clock by which they are judged; null: the kernel's.</param>
/// <param name="memory">Since when each connection has matched; null: that does not matter.</param>
internal sealed class Collector(IdleRule idleRule, bool keepLeftAlone, DetailLevel level, IClock? clock = null, MatchMemory? memory = null)
{
    private int _matchedBefore;
    private DumpSink? _sink;
    private Action? _restart;
    private DumpQuery? _query;

    /// <summary>The connections to be closed.</summary>
    public ConnectionList Candidates { get; } = new() { JudgedBy = idleRule, Clock = clock ?? MonotonicClock.Instance, Level = level };

    /// <summary>The connections that matched but are skipped.</summary>
    public ConnectionList LeftAlone { get; } = new() { Level = level };

    /// <summary>Whether candidates that a step skips are added to <see cref="LeftAlone"/>.</summary>
    public bool KeepsSkipped { get; init; }

    /// <summary>How many connections matched.</summary>
    public int Matched { get; private set; }

    /// <summary>
    /// The highest age of the connections that matched, in milliseconds; <see cref="Connection.UnknownAge"/>: none has a usable clock.
    /// </summary>
    public uint OldestMs { get; private set; } = Connection.UnknownAge;

    /// <summary>
    /// Whether the last namespace has a socket whose mark or cgroup is unknown: the kernel neither filtered by it nor reported it. Such
    /// a socket is skipped.
    /// </summary>
    public bool HasUndecided { get; private set; }

    /// <summary>
    /// How many sockets of the last namespace are skipped because it is unknown whether <c>--not-cgroup</c> excludes their cgroup.
    /// </summary>
    public int UnknownCgroups { get; private set; }

    /// <summary>Starts a new round.</summary>
    public void Clear()
    {
        Matched = 0;
        Candidates.JudgedAtMs = Candidates.Clock.NowMs;
        OldestMs = Connection.UnknownAge;
        Candidates.Clear();
        LeftAlone.Clear();
        memory?.BeginRound(Candidates.JudgedAtMs);
    }

    /// <summary>Starts a namespace: the following sockets are in it.</summary>
    public void Begin(NetworkNamespace network)
    {
        _matchedBefore = Matched;
        HasUndecided = false;
        UnknownCgroups = 0;
        Candidates.Begin(network);
        LeftAlone.Begin(network);
        memory?.Begin(network);
    }

    /// <summary>Ends a namespace that was listed completely.</summary>
    public void Complete() => memory?.Complete();

    /// <summary>Ends the listing of a round.</summary>
    /// <param name="isWhole">Whether everything that the rule names was found.</param>
    public void EndListing(bool isWhole) => memory?.EndRound(isWhole);

    /// <summary>Removes the candidates that a step has skipped.</summary>
    public void KeepPending()
    {
        if (KeepsSkipped)
        {
            Candidates.CopySkippedTo(LeftAlone);
        }

        Candidates.KeepPending();
    }

    /// <summary>Sets the query that the following answers belong to.</summary>
    public void SetQuery(DumpQuery query) => _query = query;

    /// <summary><see cref="Add"/> as a delegate that is created once: a quiet round allocates nothing.</summary>
    public DumpSink Sink => _sink ??= Add;

    /// <summary><see cref="Reset"/> as such a delegate.</summary>
    public Action Restart => _restart ??= Reset;

    /// <summary>Removes what was added since <see cref="Begin"/>.</summary>
    public void Reset()
    {
        Matched = _matchedBefore;
        HasUndecided = false;
        UnknownCgroups = 0;
        _query?.Context.Only?.ForgetFound();
        Candidates.ClearPart();
        LeftAlone.ClearPart();
        memory?.Restart();
    }

    public void Add(ref readonly InetDiagMsg message, in SocketAttributes attributes)
    {
        var connection = Connection.From(in message);
        Match match = _query!.Match(in connection, in attributes);
        HasUndecided |= match == Match.Undecided;
        UnknownCgroups += match == Match.UnknownCgroup ? 1 : 0;
        if (match != Match.Yes)
        {
            return;
        }

        Matched++;
        _query.Context.Only?.MarkFound(in connection);
        connection.IsMptcp = attributes.IsMptcp;
        var facts = new SocketFacts(in message, attributes.Info);
        idleRule.Judge(ref connection, in facts);
        if (connection.IdleMs != Connection.UnknownAge)
        {
            OldestMs = OldestMs == Connection.UnknownAge ? connection.IdleMs : Math.Max(OldestMs, connection.IdleMs);
        }

        bool isOldEnough = memory is null || memory.See(connection.Cookie);
        if (connection.Outcome == Outcome.Pending && !isOldEnough)
        {
            connection.Outcome = Outcome.TooNew;
        }

        bool isCandidate = connection.Outcome == Outcome.Pending;
        if (!isCandidate && !keepLeftAlone)
        {
            return;
        }

        (isCandidate ? Candidates : LeftAlone).Add(in connection, in facts, attributes.CgroupId ?? 0);
    }
}
