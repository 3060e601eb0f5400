using System.Buffers.Binary;

namespace TcpCloser.Tests.Report;

/// <summary>The table of a dry run.</summary>
public sealed class DryRunTableTests
{
    [Fact]
    public void Table_OneRowOfEachKind_MatchesSnapshot()
    {
        ConnectionList connections = Connections.List(
            null, Connections.Of("10.0.0.1:22 10.0.0.2:51422"), Connections.Of("::ffff:10.0.0.1:22 ::ffff:10.0.0.2:1", 8),
            Connections.Of("2001:db8:1111:2222:3333:4444:5555:6666:65535 2001:db8::2:1", 4), Connections.Of("10.0.0.1:22 10.0.0.3:1"));
        connections[1].IdleMs = Connection.UnknownAge;
        ref Connection orphan = ref connections[2];
        (orphan.IdleMs, orphan.Uid, orphan.Inode, orphan.Outcome) = (4_294_967_294, uint.MaxValue, 0, Outcome.NoOwner);
        ref Connection ofInit = ref connections[3];
        (ofInit.IdleMs, ofInit.Inode, ofInit.Outcome) = (1_126_000, 7, Outcome.OwnerProtected);
        var host = new FakeHost();
        FakeProcess worker = host.Add(new FakeProcess(200) { Comm = "a b"u8.ToArray() });
        FakeProcess init = host.Add(new FakeProcess(1));
        worker.Descriptors[3] = init.Descriptors[3] = "socket:[7]";
        worker.Descriptors[4] = "socket:[12345]";
        using IProcessTable table = host.OpenProcesses();
        RoundContext round = Contexts.Of(new RecordingSink(connections));
        round.Holders.Ensure(table, Known.All, connections);
        Snap.Match(Print(connections, round));
    }

    [Fact]
    public void Table_NothingToClose_IsEmpty() => Assert.Empty(Print(new ConnectionList()));

    [Fact]
    public void Table_3000Rows_AreAllPrintedLongestIdleFirst()
    {
        ConnectionList connections = Connections.Many(3_000);
        for (int i = 0; i < connections.Count; i++)
        {
            connections[i].IdleMs = (uint)(i / 2); // two of each age, which keep their order
        }

        string[] lines = Print(connections).Split('\n');
        Assert.Equal(3_002, lines.Length);
        Assert.Empty(lines[^1]);
        Assert.All(lines[..^1], line => Assert.Equal(lines[0].IndexOf("ACTION", StringComparison.Ordinal) + 6, line.Length - (line == lines[0] ? 0 : 1)));
        for (int i = 0; i < 3_000; i++)
        {
            int row = (1_499 - i / 2) * 2 + i % 2;
            Assert.Contains($" 10.0.0.2:{i + 1} ", lines[row + 1], StringComparison.Ordinal);
        }
    }

    private static string Print(ConnectionList connections, RoundContext? round = null) => Written.ToStdout(() =>
    {
        var stdout = new OutputStream(Unistd.STDOUT_FILENO, new StallPolicy(null));
        var table = new DryRunTable(stdout, namesNamespaces: false, Method.Destroy);
        table.Begin(round ?? Contexts.Of(new RecordingSink(connections)));
        connections.Level = DetailLevel.TcpInfo;
        for (int i = 0; i < connections.Count; i++)
        {
            byte[] info = new byte[104];
            BinaryPrimitives.WriteUInt32LittleEndian(info.AsSpan(TcpInfo.LastDataRecv), connections[i].IdleMs);
            BinaryPrimitives.WriteUInt32LittleEndian(info.AsSpan(TcpInfo.LastDataSent), 350);
            connections.Details.Add(new TcpDetail(hasClocks: connections[i].IdleMs != Connection.UnknownAge, new SocketFacts(info)));
        }

        table.WouldClose(connections, new SockDestroyer(leavesUnsupported: false));
        table.Flush();
        Assert.Equal(0, stdout.Errno);
    });
}
