using System.Runtime.CompilerServices;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using CsCheck;
using Json.Schema;
using Group = TcpCloser.Report.Group;

namespace TcpCloser.Tests.Report;

/// <summary>Records are valid JSON, whatever the name of a process.</summary>
public sealed partial class JsonRecordsTests
{
    private static readonly string s_schemaText = File.ReadAllText(Path.Combine(SchemaDirectory(), "records.schema.json"));

    [Fact]
    public void Record_EachTypeAndOutcome_MatchesSnapshot() => Snap.Match(Time().Replace(AllRecords(), "\"time\":\"TIME\""));

    /// <summary>The schema in docs/ accepts each record, and refuses a wrong one.</summary>
    [Fact]
    public void Record_EachTypeAndOutcome_IsValidUnderTheSchema()
    {
        JsonSchema schema = JsonSchema.FromText(s_schemaText);
        foreach (string line in AllRecords().Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            using JsonDocument record = JsonDocument.Parse(line);
            Assert.True(schema.Evaluate(record.RootElement).IsValid, line);
        }

        using JsonDocument wrong = JsonDocument.Parse("""{"time":"2026-11-22T14:03:07.412Z","type":"summary","matched":-1}""");
        Assert.False(schema.Evaluate(wrong.RootElement).IsValid);
    }

    [Fact]
    public void Schema_EachTableOfFields_HasTheSameFieldsInTheSameOrder()
    {
        foreach ((string table, string[] fields) in JsonRecords.Tables)
        {
            JsonElement properties = table switch
            {
                "common" => Schema("properties"),
                "owner" => Schema("$defs", "connection", "properties", "owners", "items", "properties"),
                _ => Schema("$defs", table, "properties"),
            };
            IEnumerable<string> names = properties.EnumerateObject().Select(static property => property.Name);
            Assert.Equal(fields, names.Where(name => name != "type" || table == "common"));
        }
    }

    [Fact]
    public void Schema_Outcomes_AreThoseOfTheProgram() => Assert.Equal(
        OutcomeNames(), Schema("$defs", "connection", "properties", "outcome", "enum").EnumerateArray().Select(static name => name.GetString()!).Order(StringComparer.Ordinal));

    [Fact]
    public void Schema_KeysOfGroups_AreThoseOfTheProgram()
    {
        using var schema = JsonDocument.Parse(File.ReadAllText(Path.Combine(SchemaDirectory(), "records.schema.json")));
        JsonElement by = schema.RootElement.GetProperty("$defs").GetProperty("group").GetProperty("properties").GetProperty("by");
        Assert.Equal([.. GroupKeyName.All.ToArray().Select(GroupKeyName.Of)], by.GetProperty("enum").EnumerateArray().Select(static name => name.GetString()!));
    }

    /// <summary>In the tables of docs/records.md, the names in parentheses are values or parts of a field.</summary>
    [Fact]
    public void Document_TablesOfRecords_HaveTheSameFieldsAndOutcomes()
    {
        string document = File.ReadAllText(Path.Combine(SchemaDirectory(), "records.md"));
        foreach ((string table, string[] fields) in JsonRecords.Tables)
        {
            if (table is "common" or "owner")
            {
                Assert.All(fields, field => Assert.Contains($"`{field}`", document, StringComparison.Ordinal));
                continue;
            }

            string row = table == "sum" ? "summary" : table;
            Assert.Equal(fields.Where(static field => field != "rounds"), NamesInRow(document, $"| `{row}` | "));
        }

        Assert.Equal(["rounds"], NamesInRow(document, "| `totals` | "));
        Assert.Equal(OutcomeNames(), NamesInRow(document, "| | `outcome`: ").Order(StringComparer.Ordinal));
    }

    /// <summary>The part of the schema at this path.</summary>
    private static JsonElement Schema(params string[] path) =>
        path.Aggregate(JsonElement.Parse(s_schemaText), static (element, name) => element.GetProperty(name));

    /// <summary>Sorted.</summary>
    private static IEnumerable<string> OutcomeNames() => Enum.GetValues<Outcome>()
        .Select(static outcome => Encoding.UTF8.GetString(OutcomeInfo.Of(outcome).Name)).Append("would_cure").Distinct().Order(StringComparer.Ordinal);

    private static IEnumerable<string> NamesInRow(string document, string start)
    {
        string row = document.Split('\n').Single(line => line.StartsWith(start, StringComparison.Ordinal))[start.Length..];
        return Name().Matches(Parentheses().Replace(row, "")).Select(static match => match.Groups[1].Value);
    }

    [GeneratedRegex(@"\([^)]*\)")]
    private static partial Regex Parentheses();

    [GeneratedRegex("`([a-z0-9_]+)`")]
    private static partial Regex Name();

    /// <summary>Records of every type and every outcome.</summary>
    private static string AllRecords() => Written.ToStdout(static () =>
    {
        ConnectionList connections = Connections.List(null);
        foreach (Outcome outcome in Enum.GetValues<Outcome>())
        {
            Connection connection = Connections.Of(outcome == Outcome.Pending ? "fe80::1:22 fe80::2:51422" : "::ffff:10.0.0.1:22 ::ffff:10.0.0.2:51422");
            connection.Outcome = outcome;
            connection.By = outcome switch
            {
                Outcome.Destroyed or Outcome.Mptcp => Method.Destroy,
                Outcome.Disconnected or Outcome.OwnerUnknown => Method.Disconnect,
                Outcome.Killed => Method.Kill,
                Outcome.Cured => Method.Keepalive,
                _ => Method.Auto,
            };
            connection.Interface = 2;
            connection.Errno = outcome == Outcome.Failed ? (ushort)Errno.EPERM : (ushort)0;
            connection.IdleMs = outcome == Outcome.NoClock ? Connection.UnknownAge : 61234;
            connection.Inode = outcome == Outcome.Destroyed ? 7 : connection.Inode;
            connections.Add(in connection);
            var message = new InetDiagMsg { IdiagRqueue = 3 };
            connections.Details.Add(new TcpDetail(hasClocks: outcome != Outcome.NoClock, new SocketFacts(in message, new byte[outcome == Outcome.Busy ? 64 : 240])));
        }

        var host = new FakeHost();
        host.Add(new FakeProcess(200) { Comm = [.. "a\\"u8, 0xff] }).Descriptors[3] = "socket:[7]";
        using IProcessTable table = host.OpenProcesses();
        RoundContext round = Contexts.Of(new RecordingSink(connections));
        round.Holders.Ensure(table, Known.All, connections);
        connections.Level = DetailLevel.TcpInfo;

        var stdout = new OutputStream(Unistd.STDOUT_FILENO, new StallPolicy(null));
        var records = new JsonRecords(stdout, Words.Rule("-s22", "--name", "dead ssh"));
        records.Begin(round);
        var counts = new Counts { Matched = connections.Count, HasVerdicts = true, HasLimit = true };
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
        group.Add(61_000, Outcome.Answered);
        records.Group(GroupKey.Port, group, hasVerdicts: false);
        records.Group(GroupKey.Port, group, hasVerdicts: true);
        records.Ability("destroy", "partly", isPossible: false, "no \"privilege\"");
        records.Ability("dump", "yes", isPossible: true, "");
        records.Flush();
        Assert.Equal(0, stdout.Errno);
    });

    private static string SchemaDirectory([CallerFilePath] string path = "") => Path.Combine(Path.GetDirectoryName(path)!, "../../../docs");

    [GeneratedRegex(@"""time"":""\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z""")]
    private static partial Regex Time();

    [Fact]
    public void Record_RandomProcessName_IsOneObjectInOneLine()
    {
        byte[][] names = Gen.OneOf(Gen.Byte.Array[0, 15], Gen.String[0, 8].Select(Encoding.UTF8.GetBytes)).Array[3_000].Single();
        string[] lines = Written.ToStdout(() =>
        {
            var records = new JsonRecords(new OutputStream(Unistd.STDOUT_FILENO, new StallPolicy(null)), Words.Rule("-s22"));
            Array.ForEach(names, name => records.Signalled(new SocketHolder(7) { Comm = name }, 15));
            records.Flush();
        }).Split('\n');

        Assert.Equal(names.Length + 1, lines.Length);
        for (int i = 0; i < names.Length; i++)
        {
            Assert.DoesNotContain(lines[i], char.IsControl);
            using JsonDocument record = JsonDocument.Parse(lines[i]);
            Assert.Equal(Expected(names[i]), record.RootElement.GetProperty("comm").GetString());
            Assert.Equal(7, record.RootElement.GetProperty("pid").GetInt32());
        }
    }

    /// <summary>The name, with each byte that is not UTF-8, and each backslash, as <c>\xHH</c>.</summary>
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
