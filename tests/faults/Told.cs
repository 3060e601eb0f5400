using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace TcpCloser.Faults;

/// <summary>What one of the two that tell, the log or the records, said of a run.</summary>
internal sealed partial class Told
{
    private const string UnknownReason = "what became of it could not be found out";
    private const string StillThereReason = "everything was tried, and it is still there";

    private readonly Dictionary<string, List<Outcome>> _connections = [];

    /// <summary>The pids that were sent a signal.</summary>
    internal HashSet<int> Signalled { get; } = [];

    /// <summary>The numbers of the last summary; empty: there was none.</summary>
    internal Dictionary<string, int> Summary { get; } = [];

    internal int Summaries { get; private set; }

    /// <summary>Whether an error or a warning says what went wrong.</summary>
    internal bool HasProblem { get; private set; }

    internal IEnumerable<string> Connections => _connections.Keys;

    /// <summary>What was said of a connection, in order.</summary>
    internal IReadOnlyList<Outcome> Of(string connection) => _connections.GetValueOrDefault(connection, []);

    internal static Told FromLog(string text)
    {
        Told told = new();
        foreach (string line in text.Split('\n'))
        {
            told.HasProblem |= Problem().IsMatch(line) || line.StartsWith("tcp-closer: ", StringComparison.Ordinal);
            if (Connection().Match(line) is { Success: true } connection)
            {
                told.Add(connection.Groups["ends"].Value, OutcomeOf(connection.Groups["what"].Value, line));
            }
            else if (Sent().Match(line) is { Success: true } sent)
            {
                told.Signalled.Add(Number(sent.Groups[1].Value));
            }
            else if (line.Contains(" summary ", StringComparison.Ordinal))
            {
                told.Summaries++;
                foreach (Match pair in Pair().Matches(line))
                {
                    told.Summary[pair.Groups[1].Value] = Number(pair.Groups[2].Value);
                }
            }
        }

        return told;
    }

    internal static Told FromRecords(string text)
    {
        Told told = new();
        foreach (string line in text.Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            using JsonDocument document = JsonDocument.Parse(line); // what is no JSON is a fault of its own
            JsonElement record = document.RootElement;
            switch (record.GetProperty("type").GetString())
            {
                case "connection":
                    told.Add($"{End(record, "local")} -> {End(record, "remote")}", OutcomeOf(record.GetProperty("outcome").GetString()!));
                    break;
                case "signal":
                    told.Signalled.Add(record.GetProperty("pid").GetInt32());
                    break;
                case "summary":
                    told.Summaries++;
                    foreach (JsonProperty property in record.EnumerateObject().Where(static p => p.Value.ValueKind == JsonValueKind.Number))
                    {
                        told.Summary[property.Name] = (int)property.Value.GetDouble();
                    }

                    break;
                default:
                    break;
            }
        }

        return told;
    }

    /// <summary>The rows of a dry run's table.</summary>
    internal static Told FromTable(string text)
    {
        Told told = new();
        foreach (string line in text.Split('\n'))
        {
            string[] words = line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
            int local = Array.FindIndex(words, static word => Address().IsMatch(word));
            if (local >= 0 && local + 1 < words.Length && Address().IsMatch(words[local + 1]))
            {
                told.Add($"{words[local]} -> {words[local + 1]}", Outcome.WouldClose);
            }
        }

        return told;
    }

    private static Outcome OutcomeOf(string what, string line) => what switch
    {
        "destroyed" or "disconnected" or "closed by kill" or "reset" => Outcome.Closed,
        "vanished" => Outcome.Vanished,
        "not reached" => Outcome.NotReached,
        "failed" => line.Contains(UnknownReason, StringComparison.Ordinal) ? Outcome.Unknown
            : line.Contains(StillThereReason, StringComparison.Ordinal) ? Outcome.StillThere
            : Outcome.Failed,
        _ => what.StartsWith("spared", StringComparison.Ordinal) ? Outcome.Spared : Outcome.LeftAlone,
    };

    private static Outcome OutcomeOf(string name) => name switch
    {
        "destroyed" or "disconnected" or "killed" or "reset" => Outcome.Closed,
        "vanished" => Outcome.Vanished,
        "spared" => Outcome.Spared,
        "not_reached" => Outcome.NotReached,
        "unknown" => Outcome.Unknown,
        "would_close" => Outcome.WouldClose,
        "failed" or "no_owner" or "owner_protected" or "owner_other" => Outcome.Failed,
        "still_there" => Outcome.StillThere,
        _ => Outcome.LeftAlone,
    };

    private static string End(JsonElement record, string which)
        => $"{record.GetProperty(which + "_address").GetString()}:{record.GetProperty(which + "_port").GetInt32()}";

    private static int Number(string digits) => int.Parse(digits, CultureInfo.InvariantCulture);

    private void Add(string connection, Outcome outcome)
    {
        if (!_connections.TryGetValue(connection, out List<Outcome>? outcomes))
        {
            _connections[connection] = outcomes = [];
        }

        outcomes.Add(outcome);
    }

    [GeneratedRegex(@"Z (info|error|warning|debug) (?<what>destroyed|disconnected|closed by kill|reset|vanished|failed|not reached|spared: [^0-9\[]*|left alone: [^0-9\[]*) ?(?<ends>[0-9.]+:\d+ -> [0-9.]+:\d+)")]
    private static partial Regex Connection();

    [GeneratedRegex(@"Z info sent SIG\w+ to pid=(\d+)")]
    private static partial Regex Sent();

    [GeneratedRegex(@"\b(\w+)=(\d+)")]
    private static partial Regex Pair();

    [GeneratedRegex(@"Z (error|warning) ")]
    private static partial Regex Problem();

    [GeneratedRegex(@"^[0-9.]+:\d+$")]
    private static partial Regex Address();
}
