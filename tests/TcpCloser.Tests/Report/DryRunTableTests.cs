using TcpCloser.Diag;
using TcpCloser.Interop;
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
            Connections.Of("2001:db8:1111:2222:3333:4444:5555:6666:65535 2001:db8::2:1", 4));
        connections[1].IdleMs = Connection.UnknownAge;
        connections[2].IdleMs = 4_294_967_294;
        connections[2].Uid = uint.MaxValue;
        connections[2].Inode = 0;
        Snap.Match(Print(connections));
    }

    [Fact]
    public void NothingToCloseIsNoTable() => Assert.Empty(Print(new ConnectionList()));

    [Fact]
    public void ALongTableIsWhole()
    {
        string[] lines = Print(Connections.Many(3_000)).Split('\n');
        Assert.Equal(3_002, lines.Length);
        Assert.Empty(lines[^1]);
        Assert.All(lines[..^1], line => Assert.Equal(lines[0].IndexOf("ACTION", StringComparison.Ordinal) + 6, line.Length - (line == lines[0] ? 0 : 1)));
        for (int i = 0; i < 3_000; i++)
        {
            Assert.Contains($" 10.0.0.2:{i + 1} ", lines[i + 1], StringComparison.Ordinal);
        }
    }

    private static string Print(ConnectionList connections) => Written.ToStdout(() =>
    {
        var stdout = new OutputStream(Unistd.STDOUT_FILENO, new Patience(null));
        var table = new DryRunTable(stdout, namesNamespaces: false, "destroy");
        table.WouldClose(connections, forecast: null);
        table.Flush();
        Assert.Equal(0, stdout.Errno);
    });
}
