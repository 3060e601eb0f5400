using System.Globalization;

namespace TcpCloser.KernelTests.Harness;

/// <summary>What a run reported about a connection.</summary>
internal enum Claim
{
    Closed,
    Cured,
    Vanished,
    Spared,
    Skipped,
    Unasked,
    Failed,
    WouldClose,
    NotReached, // a signal ended the run before the connection's turn
    UnknownWord, // a word that is not known here: add it
}

/// <summary>One line, record or row about a connection.</summary>
/// <param name="Ends">The two endpoints.</param>
/// <param name="Claim">What happened to the connection, or would.</param>
/// <param name="Word">The word for it in the report: the outcome of a record, or the reason of a log line if it has one.</param>
/// <param name="Method">The method; empty: not reported.</param>
/// <param name="Netns">The network namespace; empty: not reported.</param>
/// <param name="IsCertain">Whether a dry run showed it as certain.</param>
internal sealed record Statement(string Ends, Claim Claim, string Word, string Method, string Netns, bool IsCertain);

internal sealed partial class RunReport
{
    private readonly List<Statement> _statements = [];

    internal IReadOnlyList<Statement> Statements => _statements;

    /// <summary>The numbers of each summary, and of the totals in records.</summary>
    internal List<Dictionary<string, long>> Summaries { get; } = [];
    internal Dictionary<string, long>? Totals { get; private set; }
    /// <summary>The number of connections that an interrupted run did not reach; one log line covers them all.</summary>
    internal int NotReached { get; private set; }
    /// <summary>The same for connections of signalled processes.</summary>
    internal int NotAwaited { get; private set; }
    internal HashSet<int> Signalled { get; } = [];

    internal IEnumerable<Statement> Of(string ends) => _statements.Where(statement => statement.Ends == ends);

    internal static RunReport FromLog(string text)
    {
        RunReport report = new();
        foreach (string line in text.Split('\n'))
        {
            if (LogLine().Match(line) is not { Success: true } log)
            {
                continue;
            }

            string message = log.Groups["message"].Value;
            if (message.StartsWith("summary ", StringComparison.Ordinal))
            {
                report.Summaries.Add(Numbers(message));
            }
            else if (message.StartsWith("totals ", StringComparison.Ordinal))
            {
                report.Totals = Numbers(message);
            }
            else if (SentLine().Match(message) is { Success: true } sent)
            {
                report.Signalled.Add(Number(sent.Groups[1].Value));
            }
            else if (Interrupted().Match(message) is { Success: true } interrupted)
            {
                report.NotReached += Number("0" + interrupted.Groups["reached"].Value);
                report.NotAwaited += Number("0" + interrupted.Groups["awaited"].Value);
            }
            else if (Connection().Match(message) is { Success: true } connection)
            {
                string what = connection.Groups["what"].Value;
                string reason = Reason().Match(message).Groups[1].Value;
                if (reason == "not_found")
                {
                    continue; // an entry of --only, not a connection
                }

                // A dry run as a service has lines instead of a table. A holder that it does not know is not named.
                bool isCertain = !what.StartsWith("would-", StringComparison.Ordinal) || message.Contains(" pid=");
                string netns = Netns().Match(message) is { Success: true } network ? network.Groups[1].Value : "";
                report._statements.Add(new Statement(
                    KernelSocket.NameEnds(connection.Groups["local"].Value, connection.Groups["remote"].Value),
                    OfLine(what, reason), reason.Length > 0 ? reason : what, "", netns, isCertain));
            }
        }

        return report;
    }

    /// <exception cref="JsonException">A line is not JSON.</exception>
    internal static RunReport FromRecords(string text)
    {
        RunReport report = new();
        foreach (string line in text.Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            using JsonDocument document = JsonDocument.Parse(line);
            JsonElement record = document.RootElement;
            switch (Text(record, "type"))
            {
                case "connection":
                    string outcome = Text(record, "outcome");
                    string method = Text(record, "method");
                    bool areOwnersUnknown = record.TryGetProperty("owners", out JsonElement owners) && owners.ValueKind == JsonValueKind.Null;
                    bool isCertain = !record.TryGetProperty("reason", out _) && (!areOwnersUnknown || method == "destroy");
                    report._statements.Add(new Statement(
                        KernelSocket.NameEnds(End(record, "local"), End(record, "remote")),
                        OfRecord(outcome), outcome, method, Text(record, "netns"), isCertain));
                    break;
                case "signal":
                    report.Signalled.Add(record.GetProperty("pid").GetInt32());
                    break;
                case "summary":
                    report.Summaries.Add(Numbers(record));
                    break;
                case "totals":
                    report.Totals = Numbers(record);
                    break;
            }
        }

        return report;
    }

    internal static RunReport FromTable(string text)
    {
        RunReport report = new();
        int action = -1;
        int network = -1;
        foreach (string line in text.Split('\n'))
        {
            if (line.Contains("LOCAL ") && line.EndsWith("ACTION", StringComparison.Ordinal))
            {
                action = line.IndexOf("ACTION", StringComparison.Ordinal);
                network = line.IndexOf("NETNS", StringComparison.Ordinal);
            }
            else if (action >= 0 && line.Length > action)
            {
                string[] words = line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
                int first = network < 0 ? 0 : 1;
                string what = line[action..];
                bool isImpossible = what.StartsWith("not possible: ", StringComparison.Ordinal);
                report._statements.Add(new Statement(
                    KernelSocket.NameEnds(words[first], words[first + 1]),
                    isImpossible ? Claim.Failed : what is "kept" or "over limit" ? Claim.Skipped : Claim.WouldClose,
                    what, isImpossible ? "" : what.Split(' ')[0], first == 0 ? "" : words[0],
                    !what.Contains('?')));
            }
        }

        return report;
    }

    private static Claim OfRecord(string outcome) => outcome switch
    {
        "destroyed" or "disconnected" or "killed" or "reset" => Claim.Closed,
        "cured" => Claim.Cured,
        "vanished" => Claim.Vanished,
        "spared" => Claim.Spared,
        "would_close" or "would_cure" => Claim.WouldClose,
        "unasked" => Claim.Unasked,
        "failed" or "no_owner" or "owner_unknown" or "owner_protected" or "owner_other" or "mptcp" or "still_there" or "not_awaited"
            or "unknown" => Claim.Failed,
        "not_reached" => Claim.NotReached,
        "busy" or "beyond_limit" or "no_clock" or "unproved" or "answered" or "address_present" or "subflow_busy" or "winding_down" or "has_keepalive"
            or "has_user_timeout" or "probes_outstanding" or "cannot_restore" or "over_limit" or "kept" or "too_new" or "excluded" => Claim.Skipped,
        _ => Claim.UnknownWord,
    };

    /// <summary>Classifies a line by the word before the endpoints. The reason has to be an outcome of a record that means the same.</summary>
    private static Claim OfLine(string what, string reason) => what switch
    {
        "destroyed" or "disconnected" or "killed" or "reset" => Claim.Closed,
        "cured" => Claim.Cured,
        "vanished" => Claim.Vanished,
        "spared" => Claim.Spared,
        "would-close" or "would-cure" => Claim.WouldClose,
        "failed" => OfRecord(reason.Length == 0 ? "failed" : reason) == Claim.Failed ? Claim.Failed : Claim.UnknownWord,
        "not-reached" => Claim.NotReached,
        "skipped" => OfRecord(reason) is var claim and (Claim.Skipped or Claim.Unasked) ? claim : Claim.UnknownWord,
        _ => Claim.UnknownWord,
    };

    private static string Text(JsonElement record, string name) => record.TryGetProperty(name, out JsonElement value) ? value.GetString() ?? "" : "";

    private static string End(JsonElement record, string which)
        => KernelSocket.NameEnd(IPAddress.Parse(Text(record, which + "_address")), record.GetProperty(which + "_port").GetInt32());

    private static int Number(string digits) => int.Parse(digits, CultureInfo.InvariantCulture);

    private static Dictionary<string, long> Numbers(JsonElement record) => record.EnumerateObject()
        .Where(static property => property.Value.ValueKind == JsonValueKind.Number)
        .ToDictionary(static property => property.Name, static property => property.Value.GetInt64());

    private static Dictionary<string, long> Numbers(string message)
    {
        Dictionary<string, long> numbers = [];
        foreach (Match pair in Pair().Matches(message))
        {
            numbers[pair.Groups[1].Value] = long.Parse(pair.Groups[2].ValueSpan, CultureInfo.InvariantCulture);
        }

        return numbers;
    }

    [GeneratedRegex(@"^(?:\S+Z )?(?<level>debug|info|warning|error) (?<message>.*)$")]
    internal static partial Regex LogLine();

    [GeneratedRegex(@"^(?<what>[a-z]+(-[a-z]+)?) (?<local>[0-9a-f.:\[\]]+:\d+) -> (?<remote>[0-9a-f.:\[\]]+:\d+) ")]
    private static partial Regex Connection();

    [GeneratedRegex(@"^sent SIG\w+ to pid=(\d+)")]
    private static partial Regex SentLine();

    [GeneratedRegex(@"^interrupted by \w+: ((?<reached>\d+) idle [^,]*)?(, )?((?<awaited>\d+) connections? of signalled )?")]
    private static partial Regex Interrupted();

    [GeneratedRegex(@" reason=([a-z_]+)\b")]
    private static partial Regex Reason();

    [GeneratedRegex(@" netns=(\S+)")]
    private static partial Regex Netns();

    [GeneratedRegex(@"\b(\w+)=(\d+)")]
    private static partial Regex Pair();
}
