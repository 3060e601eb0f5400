using TcpCloser.Rules;

namespace TcpCloser.Cli;

/// <summary>
/// All options. The parser, <c>--help</c> and the suggestion for a misspelt name are driven by this table; a new option is an entry
/// in the file of its group, Cli/*Options.cs, and a property of <see cref="Rule"/> or <see cref="RunOptions"/>.
/// </summary>
internal static partial class OptionTable
{
    /// <summary>A longer interval is a typing error.</summary>
    private static readonly TimeSpan s_maxInterval = TimeSpan.FromDays(3650);

    /// <summary>A longer grace is a typing error.</summary>
    private static readonly TimeSpan s_maxGrace = TimeSpan.FromDays(1);

    public static readonly OptionEntry[] Entries = [.. Looking(), .. Idle(), .. Selecting(), .. Closing(), .. Output()];

    /// <summary>Finds an option by name; null: there is none.</summary>
    public static OptionEntry? Find(string name)
    {
        foreach (OptionEntry entry in Entries)
        {
            if (Array.IndexOf(entry.Names, name) >= 0)
            {
                return entry;
            }
        }

        return null;
    }

    /// <summary>Whether a word is an option in any form: a name, several flags in one word, or either followed by a value.</summary>
    public static bool IsOption(string word)
    {
        if (word.StartsWith("--", StringComparison.Ordinal))
        {
            int end = word.IndexOf('=');
            return Find(end < 0 ? word : word[..end]) is not null;
        }

        OptionEntry? entry = null;
        for (int i = 1; i < word.Length && entry is not { TakesValue: true }; i++)
        {
            entry = word[0] == '-' ? Find("-" + word[i]) : null;
            if (entry is null)
            {
                return false;
            }
        }

        return entry is not null;
    }

    /// <summary>Parses an idle time.</summary>
    private static TimeSpan IdleTime(CommandLineBuilder builder, string name, string value) =>
        SsSyntax.AdviceOnTime(name, value) is { } advice
            ? throw new UsageException(name, value, advice)
            : Time(builder, name, value, TimeValue.KernelClock);

    /// <summary>
    /// Parses a time in milliseconds unless it has a unit, with a hint if it is below a second: users often mean seconds.
    /// </summary>
    private static TimeSpan Time(CommandLineBuilder builder, string name, string value, TimeSpan max)
    {
        TimeSpan time = TimeValue.Parse(name, value, 1, max);
        if (char.IsAsciiDigit(value[^1]) && time > TimeSpan.Zero && time < TimeSpan.FromSeconds(1))
        {
            builder.Run.Hints.Add($"{name} {value} is {value} ms; for seconds {value}s");
        }

        return time;
    }
}
