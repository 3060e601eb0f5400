using System.Globalization;

namespace TcpCloser.KernelTests.Harness.Reach;

/// <summary>Runs the same selection with ss(8), for comparison with the tool.</summary>
internal static class SocketStatistics
{
    /// <summary>
    /// The endpoints that ss lists for each selection, by the tool's rules: no listeners, and under -4 also IPv4 on IPv6
    /// sockets.
    /// </summary>
    internal static List<HashSet<string>> Query(Crowd crowd, IReadOnlyList<Choice> choices)
    {
        List<string[]> runs = [.. choices.SelectMany(choice => new[] { Arguments(crowd, choice, v6: false), Arguments(crowd, choice, v6: true) })];
        var answers = ToolBatch.Run(crowd.Base, "ss", runs);
        List<HashSet<string>> sets = [];
        for (int i = 0; i < choices.Count; i++)
        {
            var ofV4 = Rows(answers[2 * i].Expect(0));
            var ofV6 = Rows(answers[(2 * i) + 1].Expect(0));
            HashSet<(string Ends, bool IsMapped)> set = [];
            if (choices[i].TakesIPv4)
            {
                set.UnionWith([.. ofV4, .. ofV6.Where(row => row.IsMapped)]);
            }

            if (choices[i].TakesIPv6)
            {
                set.UnionWith(ofV6);
            }

            sets.Add([.. set.Select(row => row.Ends)]);
        }
        return sets;

        HashSet<(string Ends, bool IsMapped)> Rows(Result result) => [.. result.Stdout.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(Row)];
    }

    private static (string Ends, bool IsMapped) Row(string line)
    {
        // ESTAB 0 0 127.0.0.1%lo:5080 127.0.0.1:40000, without the first word if only one state is selected
        string[] words = line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        return ($"{End(words[^2])} {End(words[^1])}", words[^2].Contains("::ffff:"));
    }

    private static string End(string text)
    {
        // 127.0.0.1%lo:5080, [::1]%lo:5090: bound to a device
        int device = text.IndexOf('%');
        if (device >= 0)
        {
            text = text[..device] + text[text.LastIndexOf(':')..];
        }

        var end = IPEndPoint.Parse(text);
        if (end.Address.IsIPv4MappedToIPv6)
        {
            end.Address = end.Address.MapToIPv4();
        }

        return end.ToString();
    }

    private static string[] Arguments(Crowd crowd, Choice choice, bool v6)
    {
        List<string> arguments = ["-Htan", v6 ? "-6" : "-4"];
        foreach (string state in (choice.StateNames.Length == 0 ? ["established"] : choice.StateNames).SelectMany(Choice.Expand).Distinct())
        {
            arguments.AddRange(["state", state == "closed" ? "unconnected" : state]);
        }

        List<string> terms = [];
        Alternatives(choice.SourcePorts, range => Ports("sport", range));
        Alternatives(choice.DestinationPorts, range => Ports("dport", range));
        Prefixes(choice.Sources, "src", negated: false);
        Prefixes(choice.Destinations, "dst", negated: false);
        Prefixes(choice.NotSources, "src", negated: true);
        Prefixes(choice.NotDestinations, "dst", negated: true);
        Alternatives(choice.Interfaces, device => Crowd.Devices.Contains(device) ? $"dev = {device}" : Never);
        Alternatives(choice.Marks, mark => $"fwmark = {mark}");
        Alternatives(choice.Cgroups, name => $"cgroup = {crowd.Cgroups[name]}");
        return [.. arguments, .. string.Join(" and ", terms).Split(' ', StringSplitOptions.RemoveEmptyEntries)];

        void Alternatives(string[] values, Func<string, string> term)
        {
            if (values.Length > 0)
            {
                terms.Add($"( {string.Join(" or ", values.Select(term))} )");
            }
        }

        void Prefixes(string[] prefixes, string direction, bool negated)
        {
            string[] fitting = [.. prefixes.Where(prefix => v6 || !Choice.IsV6(prefix)).Select(prefix => v6 ? $"[{Mapped(prefix)}]" : prefix)];
            if (negated)
            {
                terms.AddRange(fitting.Select(prefix => $"not {direction} {prefix}"));
            }
            else if (prefixes.Length > 0)
            {
                Alternatives(fitting.Length > 0 ? fitting : ["never"], prefix => prefix == "never" ? Never : $"{direction} {prefix}");
            }
        }
    }

    private const string Never = "( sport = :1 and sport = :2 )";

    private static string Ports(string direction, string range) => range.Split('-') switch
    {
        [var first, var last] => $"( {direction} >= :{first} and {direction} <= :{last} )",
        _ => $"{direction} = :{range}",
    };

    private static string Mapped(string prefix)
    {
        if (Choice.IsV6(prefix))
        {
            return prefix;
        }

        string[] parts = prefix.Split('/');
        int length = parts.Length == 1 ? 32 : int.Parse(parts[1], CultureInfo.InvariantCulture);
        return $"::ffff:{parts[0]}/{96 + length}";
    }
}
