using TcpCloser.Diag;
using TcpCloser.Rules;

namespace TcpCloser.Kill;

/// <summary>Whether a connection still exists when it is looked up again.</summary>
internal enum Presence
{
    There,

    Gone,

    /// <summary>The lookup failed.</summary>
    Unknown,
}

/// <summary>Looks candidates up again, each in its network namespace.</summary>
internal sealed class ConnectionWatch(ConnectionList candidates) : IDisposable
{
    /// <summary>Gone is final: cookies are never reused.</summary>
    private readonly bool[] _isGone = new bool[candidates.Count];

    private NetworkNamespace? _network;
    private SocketLookup? _lookup;

    /// <summary>Why the last lookup failed; 0: it succeeded.</summary>
    public int Errno { get; private set; }

    /// <summary>Whether the connection still exists, and a process still has it open (unless none had when it was listed).</summary>
    public Presence Look(int index) => Look(index, out _, out _);

    /// <summary>
    /// Also returns the current state of the connection. A connection that lost its last holder, and that only the kernel still winds down
    /// (FIN_WAIT1 to a peer that never answers, FIN_WAIT2, TIME_WAIT), no longer has an inode and counts as gone.
    /// </summary>
    public Presence Look(int index, out Connection now, out SocketFacts facts)
    {
        Errno = 0;
        now = default;
        facts = default;
        if (_isGone[index])
        {
            return Presence.Gone;
        }

        try
        {
            NetworkNamespace network = candidates.NamespaceOf(index);
            if (_lookup is null || _network != network)
            {
                _lookup?.Dispose();
                _lookup = null;
                _lookup = new SocketLookup(network);
                _network = network;
            }

            ref Connection connection = ref candidates[index];
            bool isThere = _lookup.TryFind(in connection, out now, out facts) && (now.Inode != 0 || connection.Inode == 0);
            _isGone[index] = !isThere;
            return isThere ? Presence.There : Presence.Gone;
        }
        catch (SystemCallException e)
        {
            Errno = e.Failure.Errno;
            return Presence.Unknown;
        }
    }

    public void Dispose() => _lookup?.Dispose();
}

/// <summary>
/// Judges a candidate again right before it is closed if its last judgement is too old by then, for example because the reader of the
/// output stalled, other peers were probed, or the list is long. A connection is not closed if it has become busy since, or if its peer was
/// heard from after it had been judged silent.
/// </summary>
/// <param name="candidates">The connections; each look updates the ages.</param>
internal sealed class Recheck(ConnectionList candidates, ConnectionWatch watch)
{
    /// <summary>The maximum age of a judgement.</summary>
    private const int MaxAgeMs = 100;

    /// <summary>Whether the judgements are too old now.</summary>
    public bool IsDue => candidates.JudgedBy is { IsTimely: true } && candidates.Clock.NowMs - candidates.JudgedAtMs > MaxAgeMs;

    /// <summary>Judges a candidate again if that is due.</summary>
    /// <param name="errno">With <see cref="Outcome.Failed"/>, why the lookup failed; otherwise 0.</param>
    /// <returns>The outcome of a candidate that must not be closed; null: it may be closed.</returns>
    public Outcome? RunIfDue(int index, out int errno)
    {
        errno = 0;
        return IsDue ? Run(index, out errno) : null;
    }

    /// <summary>Judges a candidate again, whether or not that is due.</summary>
    public Outcome? Run(int index, out int errno)
    {
        Presence presence = watch.Look(index, out Connection now, out SocketFacts facts);
        errno = watch.Errno;
        if (presence != Presence.There)
        {
            return presence == Presence.Gone ? Outcome.Vanished : Outcome.Failed;
        }

        uint chosenMs = candidates[index].IdleMs;
        candidates.JudgeAgain(index, ref now, in facts);
        if (candidates.JudgedBy is { ChoosesByAge: true } && now.Outcome == Outcome.Pending && now.IdleMs < chosenMs
            && chosenMs != Connection.UnknownAge && !candidates[index].IsMptcp)
        {
            return Outcome.Busy; // less idle than when it was chosen; a subflow's age is not that of its MPTCP connection
        }

        return now.Outcome != Outcome.Pending ? now.Outcome
            : now.IsProvenDead ? null
            : candidates[index].IsProvenDead ? Outcome.Unproved
            : candidates.IsSilentNoMore(index, in facts) ? Outcome.Answered
            : null;
    }
}
