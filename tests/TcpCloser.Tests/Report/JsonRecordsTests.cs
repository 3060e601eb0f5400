using System.Text;
using System.Text.Json;
using CsCheck;
using TcpCloser.Diag;
using TcpCloser.Interop;
using TcpCloser.Proc;
using TcpCloser.Report;
using TcpCloser.Tests.Support;

namespace TcpCloser.Tests.Report;

/// <summary>Records are JSON, whatever a process is called.</summary>
public sealed class JsonRecordsTests
{
    [Fact]
    public void EveryOutcome() => Snap.Match(Written.ToStdout(static () =>
    {
        ConnectionList connections = Connections.List(null);
        foreach (Outcome outcome in Enum.GetValues<Outcome>())
        {
            Connection connection = Connections.Of(outcome == Outcome.Idle ? "fe80::1:22 fe80::2:51422" : "::ffff:10.0.0.1:22 ::ffff:10.0.0.2:51422");
            connection.Outcome = outcome;
            connection.Interface = 2;
            connection.Errno = outcome == Outcome.Failed ? (ushort)Errno.EPERM : (ushort)0;
            connection.IdleMs = outcome == Outcome.NoClock ? Connection.UnknownAge : 61234;
            connections.Add(in connection);
        }

        var stdout = new OutputStream(Unistd.STDOUT_FILENO, new Patience(null));
        var records = new JsonRecords(stdout);
        var counts = new Counts { Matched = 24 };
        for (int i = 0; i < connections.Count; i++)
        {
            counts.Count(connections[i].Outcome);
            records.Completed(connections, i);
        }

        records.End(ExitStatus.Done, counts, TimeSpan.FromMilliseconds(11), isQuiet: true);
        records.End(ExitStatus.Done, counts, TimeSpan.FromMilliseconds(12), isQuiet: false);
        records.Totals(counts, rounds: 5, TimeSpan.FromMilliseconds(12.9));
        records.Ability("destroy", possible: false, "no \"privilege\"");
        records.Ability("dump", possible: true, "");
        records.Flush();
        Assert.Equal(0, stdout.Errno);
    }));

    [Fact]
    public void AnyNameOfAProcessMakesOneObjectInOneLine()
    {
        var names = new List<byte[]>();
        Gen.OneOf(Gen.Byte.Array[0, 15], Gen.String[0, 8].Select(Encoding.UTF8.GetBytes)).Sample(name =>
        {
            lock (names)
            {
                names.Add(name);
            }
        }, iter: 3_000);
        string[] lines = Written.ToStdout(() =>
        {
            var records = new JsonRecords(new OutputStream(Unistd.STDOUT_FILENO, new Patience(null)));
            names.ForEach(name => records.Signalled(new SocketHolder(7) { Comm = name }, 15));
            records.Flush();
        }).Split('\n');

        Assert.Equal(names.Count + 1, lines.Length);
        for (int i = 0; i < names.Count; i++)
        {
            Assert.DoesNotContain(lines[i], char.IsControl);
            using JsonDocument record = JsonDocument.Parse(lines[i]);
            Assert.Equal(Expected(names[i]), record.RootElement.GetProperty("comm").GetString());
            Assert.Equal(7, record.RootElement.GetProperty("pid").GetInt32());
        }
    }

    /// <summary>The name, with each byte that is no UTF-8 as <c>\xHH</c>.</summary>
    private static string Expected(ReadOnlySpan<byte> name)
    {
        var text = new StringBuilder();
        while (!name.IsEmpty)
        {
            bool valid = Rune.DecodeFromUtf8(name, out Rune rune, out int length) == System.Buffers.OperationStatus.Done;
            text.Append(valid ? rune.ToString() : $"\\x{name[0]:X2}");
            name = name[(valid ? length : 1)..];
        }

        return text.ToString();
    }
}
