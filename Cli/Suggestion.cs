namespace TcpCloser.Cli;

/// <summary>Which long options a word that is none may have been meant for.</summary>
internal static class Suggestion
{
    /// <summary>More names than this are no help.</summary>
    private const int MostNames = 3;

    /// <summary>No name of an option is that long; the distance of longer words is not worth its time.</summary>
    private const int LongestWord = 40;

    /// <summary><c>did you mean --idle-time?</c>; null: nothing comes near.</summary>
    public static string? For(string typed)
    {
        int end = typed.AsSpan().IndexOfAny('=', ':');
        string word = Letters(end < 0 ? typed : typed[..end]);
        if (!typed.StartsWith("--", StringComparison.Ordinal) || word.Length is < 2 or > LongestWord)
        {
            return null;
        }

        // An abbreviation comes before a typing error, and of those the smallest.
        int nearest = word.Length switch { < 5 => 1, < 9 => 2, _ => 3 };
        var names = new List<string>();
        foreach (OptionEntry entry in OptionTable.Entries)
        {
            string? name = LongName(entry);
            if (name is null)
            {
                continue;
            }

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

        return names.Count is 0 or > MostNames ? null : $"did you mean {string.Join(" or ", names)}?";
    }

    private static string? LongName(OptionEntry entry) =>
        Array.Find(entry.Names, static name => name.StartsWith("--", StringComparison.Ordinal));

    /// <summary>The word in lower case and without dashes and underscores, which are left out or exchanged most often.</summary>
    private static string Letters(string word) => word.Replace("-", "").Replace("_", "").ToLowerInvariant();

    /// <summary>How many letters are missing, too many, wrong, or exchanged with their neighbour (optimal string alignment).</summary>
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
