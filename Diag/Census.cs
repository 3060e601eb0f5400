using TcpCloser.Interop;

namespace TcpCloser.Diag;

/// <summary>Sorts the sockets of a dump: those to be closed, those left alone.</summary>
/// <param name="selection">What is meant.</param>
/// <param name="idleRule">What is idle.</param>
/// <param name="keepLeftAlone">Whether somebody wants to hear of those left alone.</param>
/// <param name="keepDetails">Whether somebody wants to hear what tcp_info says.</param>
/// <param name="half">The ports of this one, where another has the rest; null: all.</param>
internal sealed class Census(Selection selection, IdleRule idleRule, bool keepLeftAlone, bool keepDetails, PortHalf? half = null) : IDumpSink
{
    private int _matchedBefore;

    /// <summary>The connections to be closed.</summary>
    public ConnectionList Doomed { get; } = new();

    /// <summary>Those that matched and are left alone.</summary>
    public ConnectionList LeftAlone { get; } = new();

    /// <summary>How many connections matched.</summary>
    public int Matched { get; private set; }

    /// <summary>A new round.</summary>
    public void Clear()
    {
        Matched = 0;
        Doomed.Clear();
        LeftAlone.Clear();
    }

    /// <summary>What comes from here on is in that namespace.</summary>
    public void Begin(NetworkNamespace network)
    {
        _matchedBefore = Matched;
        Doomed.Begin(network);
        LeftAlone.Begin(network);
    }

    /// <summary>Adds what another one found in the same namespace.</summary>
    public void Add(Census other)
    {
        Matched += other.Matched;
        Doomed.Add(other.Doomed);
        LeftAlone.Add(other.LeftAlone);
    }

    public void Reset()
    {
        Matched = _matchedBefore;
        Doomed.ClearPart();
        LeftAlone.ClearPart();
    }

    public void Add(ref readonly InetDiagMsg message, in SocketAttributes attributes)
    {
        var connection = Connection.From(in message);
        if (!selection.Matches(in connection, in attributes) || half?.Contains(in connection) == false)
        {
            return;
        }

        Matched++;
        connection.IsMptcp = attributes.IsMptcp;
        idleRule.Judge(ref connection, attributes.Info);
        ConnectionList list = connection.Outcome == Outcome.Idle ? Doomed : LeftAlone;
        if (list == LeftAlone && !keepLeftAlone)
        {
            return;
        }

        list.Add(in connection);
        if (keepDetails)
        {
            list.Details.Add(TcpDetail.From(in message, attributes.Info));
        }
    }
}
