using System.Buffers.Binary;
using TcpCloser.Diag;
using TcpCloser.Interop;
using TcpCloser.Kill;
using TcpCloser.Proc;
using TcpCloser.Report;
using TcpCloser.Tests.Support;

namespace TcpCloser.Tests.Report;

/// <summary>The table of a dry run.</summary>
public sealed class DryRunTableTests
{
    [Fact]
    public void OneOfEachKind()
    {
        ConnectionList connections = Connections.List(
            null, Connections.Of("10.0.0.1:22 10.0.0.2:51422"), Connections.Of("::ffff:10.0.0.1:22 ::ffff:10.0.0.2:1", 8),
            Connections.Of("2001:db8:1111:2222:3333:4444:5555:6666:65535 2001:db8::2:1", 4), Connections.Of("10.0.0.1:22 10.0.0.3:1"));
        connections[1].IdleMs = Connection.UnknownAge;
        connections[2].IdleMs = 4_294_967_294;
        connections[2].Uid = uint.MaxValue;
        connections[2].Inode = 0;
        connections[2].Outcome = Outcome.NoOwner;
        connections[3].IdleMs = 1_126_000;
        connections[3].Inode = 7;
        connections[3].Outcome = Outcome.OwnerProtected;
        var host = new FakeHost();
        FakeProcess worker = host.Add(new FakeProcess(200) { Comm = "a b"u8.ToArray() });
        FakeProcess init = host.Add(new FakeProcess(1));
        worker.Descriptors[3] = init.Descriptors[3] = "socket:[7]";
        worker.Descriptors[4] = "socket:[12345]";
        using IProcessTable table = host.OpenProcesses();
        connections.Owners = OwnerForecast.Find(table, connections);
        Snap.Match(Print(connections));
    }

    [Fact]
    public void NothingToCloseIsNoTable() => Assert.Empty(Print(new ConnectionList()));

    [Fact]
    public void ALongTableIsWholeAndTheLongestIdleComeFirst()
    {
        ConnectionList connections = Connections.Many(3_000);
        for (int i = 0; i < connections.Count; i++)
        {
            connections[i].IdleMs = (uint)(i / 2); // two of each age stay in their order
        }

        string[] lines = Print(connections).Split('\n');
        Assert.Equal(3_002, lines.Length);
        Assert.Empty(lines[^1]);
        Assert.All(lines[..^1], line => Assert.Equal(lines[0].IndexOf("ACTION", StringComparison.Ordinal) + 6, line.Length - (line == lines[0] ? 0 : 1)));
        for (int i = 0; i < 3_000; i++)
        {
            int place = (1_499 - i / 2) * 2 + i % 2;
            Assert.Contains($" 10.0.0.2:{i + 1} ", lines[place + 1], StringComparison.Ordinal);
        }
    }

    private static string Print(ConnectionList connections) => Written.ToStdout(() =>
    {
        var stdout = new OutputStream(Unistd.STDOUT_FILENO, new Patience(null));
        var table = new DryRunTable(stdout, namesNamespaces: false, "destroy");
        for (int i = 0; i < connections.Count; i++)
        {
            byte[] info = new byte[104];
            BinaryPrimitives.WriteUInt32LittleEndian(info.AsSpan(TcpInfo.LastDataRecv), connections[i].IdleMs);
            BinaryPrimitives.WriteUInt32LittleEndian(info.AsSpan(TcpInfo.LastDataSent), 350);
            connections.Details.Add(new TcpDetail(0, hasClocks: connections[i].IdleMs != Connection.UnknownAge, new SocketFacts(info)));
        }

        table.WouldClose(connections, new SockDestroyer(new SocketDump(), FakeNamespace.Silent, leavesUnsupported: false));
        table.Flush();
        Assert.Equal(0, stdout.Errno);
    });
}
