namespace TcpCloser.Cli;

/// <summary>Suggestions for a misspelt word: an option or one of the values of an option.</summary>
internal static class Suggestion
{
    /// <summary>More names than this do not help.</summary>
    private const int MaxNames = 3;

    /// <summary>No name is longer than this, so longer words are not compared.</summary>
    private const int MaxWordLength = 40;

    /// <summary>The suggestion for an unknown option, such as <c>did you mean --idle-time?</c>; null: no name is similar.</summary>
    public static string? ForOption(string typed)
    {
        if (!typed.StartsWith("--", StringComparison.Ordinal))
        {
            return null;
        }

        int end = typed.AsSpan().IndexOfAny('=', ':');
        string word = end < 0 ? typed : typed[..end];
        if (Synonym(Letters(word)) is { } synonym)
        {
            return $"did you mean {synonym}?";
        }

        var names = new List<string>();
        foreach (OptionEntry entry in OptionTable.Entries)
        {
            if (entry.LongName is { } name)
            {
                names.Add(name);
            }
        }

        return For(word, names);
    }

    /// <summary>The suggestion for a word that is none of the names; null: no name is similar.</summary>
    public static string? For(string typed, IReadOnlyList<string> candidates)
    {
        string word = typed.Length > MaxWordLength ? "" : Letters(typed);
        if (word.Length < 2)
        {
            return null;
        }

        // An abbreviation comes before a typing error, and a small error before a larger one.
        int nearest = word.Length switch { < 5 => 1, < 9 => 2, _ => 3 };
        var names = new List<string>();
        foreach (string name in candidates)
        {
            string letters = Letters(name);
            int distance = letters.StartsWith(word, StringComparison.Ordinal) ? 0 : Distance(word, letters);
            if (distance < nearest)
            {
                names.Clear();
            }

            if (distance <= nearest)
            {
                nearest = distance;
                names.Add(name);
            }
        }

        return names.Count is 0 or > MaxNames ? null : $"did you mean {string.Join(" or ", names)}?";
    }

    /// <summary>The option for a word that other programs use for the same thing; null: none.</summary>
    private static string? Synonym(string word) => word switch
    {
        "user" or "users" or "username" => "--uid",
        "process" or "processes" => "--pid or --comm",
        "command" => "--comm",
        "net" => "--netns",
        _ => null,
    };

    /// <summary>The word in lower case without dashes and underscores, which users most often omit or swap.</summary>
    private static string Letters(string word) => word.Replace("-", "").Replace("_", "").ToLowerInvariant();

    /// <summary>The number of letters that are missing, extra, wrong, or swapped with a neighbour (optimal string alignment).</summary>
    private static int Distance(string a, string b)
    {
        int[,] costs = new int[a.Length + 1, b.Length + 1];
        for (int i = 0; i <= a.Length; i++)
        {
            for (int j = 0; j <= b.Length; j++)
            {
                costs[i, j] = i == 0 ? j : j == 0 ? i : Math.Min(
                    Math.Min(costs[i - 1, j], costs[i, j - 1]) + 1,
                    costs[i - 1, j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1));
                if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                {
                    costs[i, j] = Math.Min(costs[i, j], costs[i - 2, j - 2] + 1);
                }
            }
        }

        return costs[a.Length, b.Length];
    }
}
