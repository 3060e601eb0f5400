using TcpCloser.Interop;

namespace TcpCloser.Diag;

/// <summary>Sorts the sockets of a dump: those to be closed, those left alone.</summary>
internal sealed class Census(Selection selection, IdleRule idleRule, bool keepLeftAlone) : IDumpSink
{
    /// <summary>The connections to be closed.</summary>
    public ConnectionList Doomed { get; } = new();

    /// <summary>Those that matched and are left alone; kept only for who wants to hear of them.</summary>
    public ConnectionList LeftAlone { get; } = new();

    /// <summary>What tcp_info says of each of <see cref="Doomed"/> and of <see cref="LeftAlone"/>; kept likewise.</summary>
    public List<TcpDetail> DoomedDetails { get; } = [];

    public List<TcpDetail> LeftAloneDetails { get; } = [];

    /// <summary>How many connections matched.</summary>
    public int Matched { get; private set; }

    public void Reset()
    {
        Matched = 0;
        Doomed.Clear();
        LeftAlone.Clear();
        DoomedDetails.Clear();
        LeftAloneDetails.Clear();
    }

    public void Add(ref readonly InetDiagMsg message, ReadOnlySpan<byte> attributes)
    {
        var connection = Connection.From(in message);
        if (!selection.Matches(in connection))
        {
            return;
        }

        Matched++;
        ReadOnlySpan<byte> info = NetlinkReader.Attribute(attributes, SockDiag.INET_DIAG_INFO);
        idleRule.Judge(ref connection, info);
        bool idle = connection.Outcome == Outcome.Idle;
        if (idle)
        {
            Doomed.Add(in connection);
        }
        else if (keepLeftAlone)
        {
            LeftAlone.Add(in connection);
        }

        if (keepLeftAlone)
        {
            (idle ? DoomedDetails : LeftAloneDetails).Add(TcpDetail.From(in message, info));
        }
    }
}
