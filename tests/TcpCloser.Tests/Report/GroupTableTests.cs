using TcpCloser.Cli;
using TcpCloser.Diag;
using TcpCloser.Interop;
using TcpCloser.Kill;
using TcpCloser.Proc;
using TcpCloser.Report;
using TcpCloser.Tests.Support;

namespace TcpCloser.Tests.Report;

/// <summary>Connections counted by what they have in common.</summary>
public sealed class GroupTableTests
{
    private static readonly uint[] s_ages = [0, 59_999, 60_000, 599_999, 600_000, 3_599_999, 3_600_000, 86_399_999, 86_400_000, 4_294_967_294];

    public static TheoryData<string> Keys => ["port", "peer", "process", "uid", "state", "netns"];

    [Theory]
    [MemberData(nameof(Keys))]
    public void OfEachKey(string key) => Snap.Match(Print(key), key);

    [Fact]
    public void EveryAgeIsInItsSpan()
    {
        var group = new Group([]);
        foreach (uint age in s_ages)
        {
            group.Add(age);
        }

        group.Add(Connection.UnknownAge);
        Assert.Equal([2, 2, 2, 2, 2], group.Counts.ToArray());
        Assert.Equal((11, 4_294_967_294), (group.Total, group.Oldest));
    }

    [Fact]
    public void NothingIsNoTable() => Assert.Empty(Print(new ConnectionList(), GroupKey.State));

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
        connections.Owners = OwnerForecast.Find(table, connections);
        connections.ListeningPorts = new ListeningPorts(new SocketDump(), connections);
        return Print(connections, SingleValue.GroupKey("--group-by", key));
    }

    private static string Print(ConnectionList connections, GroupKey key) => Written.ToStdout(() =>
    {
        var table = new GroupTable(new OutputStream(Unistd.STDOUT_FILENO, new Patience(null)), key, records: null);
        table.WouldClose(connections, new SockDestroyer(new SocketDump(), FakeNamespace.Silent, leavesUnsupported: false));
        table.Flush();
    });
}
