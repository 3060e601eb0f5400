using TcpCloser.Cli;

namespace TcpCloser.Tests.Report;

/// <summary>The table of <c>--group-by</c>.</summary>
public sealed class GroupTableTests
{
    private static readonly uint[] s_ages = [0, 59_999, 60_000, 599_999, 600_000, 3_599_999, 3_600_000, 86_399_999, 86_400_000, 4_294_967_294];

    [Theory]
    [Values("port", "peer", "process", "command", "uid", "unit", "pod", "state", "netns")]
    public void Table_EachKey_MatchesSnapshot(string key) => Snap.Match(Print(key), key);

    [Fact]
    public void Add_AgesAtEachLimit_AreCountedInTheirSpan()
    {
        var group = new Group([]);
        Array.ForEach([.. s_ages, Connection.UnknownAge], age => group.Add(age, Outcome.Pending));
        Assert.Equal([2, 2, 2, 2, 2], group.Counts.ToArray());
        Assert.Equal((11, 4_294_967_294), (group.Total, group.Oldest));
    }

    [Fact]
    public void Table_NoConnections_IsEmpty() => Assert.Empty(Print(new ConnectionList(), GroupKey.State));

    /// <summary>The group with the most silent peers comes first; a connection that has ended is in no group.</summary>
    [Fact]
    public void Table_WithVerdicts_CountsThemByKey()
    {
        ConnectionList connections = Connections.List(null);
        (string Peer, Outcome Outcome)[] probed =
        [
            ("10.0.0.2:1", Outcome.Answered), ("10.0.0.2:2", Outcome.Answered), ("10.0.0.2:3", Outcome.UnprovedPath), ("10.0.0.3:1", Outcome.Pending),
            ("10.0.0.3:2", Outcome.Unasked), ("10.0.0.3:3", Outcome.Reset), ("10.0.0.4:1", Outcome.Vanished),
        ];
        foreach ((string peer, Outcome outcome) in probed)
        {
            Connection connection = Connections.Of($"10.0.0.1:22 {peer}");
            (connection.IdleMs, connection.Outcome) = (90_000, outcome);
            connections.Add(in connection);
        }

        Assert.Equal(
            """
            PEER      TOTAL  ANSWERED  SILENT  UNPROVED  UNASKED  OLDEST  #: silent
            10.0.0.3      2         0       1         0        1   1m30s  #######.......
            10.0.0.2      3         2       0         1        0   1m30s  ....................

            """,
            Print(connections, GroupKey.Peer, countsVerdicts: true));
    }

    private static string Print(string key)
    {
        ConnectionList connections = Connections.List(FakeKernel.Answering(Answer.Of(
            new DumpedSocket { State = TcpState.Listen, SourcePort = 22 }.Message(18), Support.Netlink.DoneMessage())));
        for (int i = 0; i < s_ages.Length; i++)
        {
            Connection connection = Connections.Of(i % 3 == 0 ? "10.0.0.1:22 10.0.0.2:51422" : i % 3 == 1 ? "::ffff:10.0.0.1:40000 ::ffff:10.0.0.2:443" : "fd00::1:40001 fd00::2:443");
            connection.IdleMs = s_ages[i];
            connection.Inode = (uint)(7 + i % 3 - (i == 9 ? 7 : 0));
            connection.Uid = (uint)(i % 2);
            connection.State = i < 8 ? TcpState.Established : TcpState.CloseWait;
            connections.Add(in connection);
        }

        var host = new FakeHost();
        FakeProcess worker = host.Add(new FakeProcess(200) { Comm = "a b"u8.ToArray() });
        worker.Descriptors[3] = "socket:[7]";
        worker.Descriptors[4] = "socket:[8]";
        host.Add(new FakeProcess(201)).Descriptors[3] = "socket:[7]";
        using IProcessTable table = host.OpenProcesses();
        RoundContext round = Contexts.Of(new RecordingSink(connections));
        round.Holders.Ensure(table, Known.All, connections);
        return Print(connections, SingleValue.GroupKey("--group-by", key), round: round);
    }

    private static string Print(ConnectionList connections, GroupKey key, bool countsVerdicts = false, RoundContext? round = null) => Written.ToStdout(() =>
    {
        var table = new GroupTable(new OutputStream(Unistd.STDOUT_FILENO, new StallPolicy(null)), key, countsVerdicts, records: null);
        table.Begin(round ?? Contexts.Of(new RecordingSink(connections)));
        table.WouldClose(connections, new SockDestroyer(leavesUnsupported: false));
        table.Flush();
    });
}
