using System.Runtime.CompilerServices;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using CsCheck;
using Json.Schema;
using TcpCloser.Cli;
using TcpCloser.Diag;
using TcpCloser.Interop;
using TcpCloser.Kill;
using TcpCloser.Proc;
using TcpCloser.Report;
using TcpCloser.Tests.Support;
using Group = TcpCloser.Report.Group;

namespace TcpCloser.Tests.Report;

/// <summary>Records are JSON, whatever a process is called.</summary>
public sealed partial class JsonRecordsTests
{
    [Fact]
    public void EveryOutcome() => Snap.Match(WithoutTimes(EveryRecord()));

    /// <summary>Each record is as the schema in docs/ says, and the schema knows no field that is never there.</summary>
    [Fact]
    public void EveryRecordIsAsTheSchemaSays()
    {
        JsonSchema schema = JsonSchema.FromText(File.ReadAllText(Path.Combine(SchemaFolder(), "records.schema.json")));
        foreach (string line in EveryRecord().Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            using JsonDocument record = JsonDocument.Parse(line);
            EvaluationResults result = schema.Evaluate(record.RootElement, new EvaluationOptions { OutputFormat = OutputFormat.List });
            Assert.True(result.IsValid, line);
        }

        using JsonDocument wrong = JsonDocument.Parse("""{"time":"2026-11-22T14:03:07.412Z","type":"summary","matched":-1}""");
        Assert.False(schema.Evaluate(wrong.RootElement).IsValid);
    }

    /// <summary>A record of every type, and one for every outcome.</summary>
    private static string EveryRecord() => Written.ToStdout(static () =>
    {
        ConnectionList connections = Connections.List(null);
        foreach (Outcome outcome in Enum.GetValues<Outcome>())
        {
            Connection connection = Connections.Of(outcome == Outcome.Idle ? "fe80::1:22 fe80::2:51422" : "::ffff:10.0.0.1:22 ::ffff:10.0.0.2:51422");
            connection.Outcome = outcome;
            connection.Interface = 2;
            connection.Errno = outcome == Outcome.Failed ? (ushort)Errno.EPERM : (ushort)0;
            connection.IdleMs = outcome == Outcome.NoClock ? Connection.UnknownAge : 61234;
            connection.Inode = outcome == Outcome.Destroyed ? 7 : connection.Inode;
            connections.Add(in connection);
            connections.Details.Add(new TcpDetail(3, hasClocks: outcome != Outcome.NoClock, new SocketFacts(new byte[outcome == Outcome.Busy ? 64 : 240])));
        }

        var host = new FakeHost();
        host.Add(new FakeProcess(200) { Comm = [.. "a\\"u8, 0xff] }).Descriptors[3] = "socket:[7]";
        using IProcessTable table = host.OpenProcesses();
        connections.Owners = OwnerForecast.Find(table, connections);

        var stdout = new OutputStream(Unistd.STDOUT_FILENO, new Patience(null));
        var records = new JsonRecords(stdout, Words.Rule("-s22", "--name", "dead ssh"));
        var counts = new Counts { Matched = 24 };
        for (int i = 0; i < connections.Count; i++)
        {
            counts.Count(connections[i].Outcome);
            records.Completed(connections, i);
        }

        records.Signalled(new SocketHolder(7) { Comm = "sshd"u8.ToArray() }, 15);
        records.End(ExitStatus.Done, counts, TimeSpan.FromMilliseconds(11), isQuiet: true);
        records.End(ExitStatus.Done, counts, TimeSpan.FromMilliseconds(12), isQuiet: false);
        records.Totals(counts, rounds: 5, TimeSpan.FromMilliseconds(12.9));
        var group = new Group("22"u8.ToArray());
        group.Add(61_000);
        records.Group(GroupKey.Port, group);
        records.Ability("destroy", possible: false, "no \"privilege\"");
        records.Ability("dump", possible: true, "");
        records.Flush();
        Assert.Equal(0, stdout.Errno);
    });

    private static string WithoutTimes(string records) => Time().Replace(records, "\"time\":\"TIME\"");

    private static string SchemaFolder([CallerFilePath] string path = "") => Path.Combine(Path.GetDirectoryName(path)!, "../../../docs");

    [GeneratedRegex(@"""time"":""\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z""")]
    private static partial Regex Time();

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
            var records = new JsonRecords(new OutputStream(Unistd.STDOUT_FILENO, new Patience(null)), Words.Rule("-s22"));
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

    /// <summary>The name, with each byte that is no UTF-8, and each backslash, as <c>\xHH</c>.</summary>
    private static string Expected(ReadOnlySpan<byte> name)
    {
        var text = new StringBuilder();
        while (!name.IsEmpty)
        {
            bool valid = Rune.DecodeFromUtf8(name, out Rune rune, out int length) == System.Buffers.OperationStatus.Done;
            text.Append(valid && name[0] != '\\' ? rune.ToString() : $"\\x{name[0]:X2}");
            name = name[(valid ? length : 1)..];
        }

        return text.ToString();
    }
}
