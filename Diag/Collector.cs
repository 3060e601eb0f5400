using TcpCloser.Interop;

namespace TcpCloser.Diag;

/// <summary>Sorts the sockets of a dump: the candidates for closing, and those that matched and are left alone.</summary>
/// <param name="idleRule">What is idle.</param>
/// <param name="keepLeftAlone">Whether those left alone are kept, to be told.</param>
/// <param name="keepDetails">Whether what tcp_info says is kept, to be told.</param>
internal sealed class Collector(IdleRule idleRule, bool keepLeftAlone, bool keepDetails) : IDumpSink
{
    private int _matchedBefore;
    private DumpQuery? _query;

    /// <summary>The connections to be closed.</summary>
    public ConnectionList Candidates { get; } = new();

    /// <summary>Those that matched and are left alone.</summary>
    public ConnectionList LeftAlone { get; } = new();

    /// <summary>How many connections matched.</summary>
    public int Matched { get; private set; }

    /// <summary>
    /// Whether there is a socket in the last namespace of which the mark or the cgroup is not known: the kernel neither filtered by it
    /// nor told it. Such a socket is left out.
    /// </summary>
    public bool HasUndecided { get; private set; }

    /// <summary>A new round.</summary>
    public void Clear()
    {
        Matched = 0;
        Candidates.Clear();
        LeftAlone.Clear();
    }

    /// <summary>What comes from here on is in that namespace.</summary>
    public void Begin(NetworkNamespace network)
    {
        _matchedBefore = Matched;
        HasUndecided = false;
        Candidates.Begin(network);
        LeftAlone.Begin(network);
    }

    /// <summary>What comes from here on answers that query.</summary>
    public void Expect(DumpQuery query) => _query = query;

    /// <summary>Forgets what came since <see cref="Begin"/>.</summary>
    public void Reset()
    {
        Matched = _matchedBefore;
        HasUndecided = false;
        Candidates.ClearPart();
        LeftAlone.ClearPart();
    }

    public void Add(ref readonly InetDiagMsg message, in SocketAttributes attributes)
    {
        var connection = Connection.From(in message);
        Match match = _query!.Match(in connection, in attributes);
        HasUndecided |= match == Match.Undecided;
        if (match != Match.Yes)
        {
            return;
        }

        Matched++;
        connection.IsMptcp = attributes.IsMptcp;
        var facts = new SocketFacts(in message, attributes.Info);
        idleRule.Judge(ref connection, in facts);
        bool isCandidate = connection.Outcome == Outcome.Idle;
        if (!isCandidate && !keepLeftAlone)
        {
            return;
        }

        ConnectionList list = isCandidate ? Candidates : LeftAlone;
        list.Add(in connection);
        if (keepDetails)
        {
            list.Details.Add(new TcpDetail(message.IdiagRqueue, connection.IdleMs != Diag.Connection.UnknownAge, in facts));
        }
    }
}
