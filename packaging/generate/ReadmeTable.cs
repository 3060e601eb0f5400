using System.Text;
using TcpCloser.Cli;

namespace TcpCloser.Generate;

/// <summary>The table of options in README.md: the rows below its heading are replaced.</summary>
internal static class ReadmeTable
{
    private const string Heading = "| option | meaning |\n|---|---|\n";

    /// <summary>The README with a table of the current options.</summary>
    /// <exception cref="InvalidDataException">It has no table of options.</exception>
    public static string Text(string readme)
    {
        int start = readme.IndexOf(Heading, StringComparison.Ordinal);
        int end = start < 0 ? -1 : readme.IndexOf("\n\n", start, StringComparison.Ordinal);
        return end < 0 ? throw new InvalidDataException("README.md has no table of options") : readme[..(start + Heading.Length)] + Rows() + readme[(end + 1)..];
    }

    private static string Rows()
    {
        var rows = new StringBuilder();
        foreach (OptionEntry entry in OptionTable.Entries)
        {
            string names = string.Join(", ", entry.Names.Select(static name => $"`{name}`"));
            string value = entry.TakesValue ? $" *{Escaped(entry.Placeholder!)}*" : "";
            string words = string.Join("; ", entry.Words.Select(static word => $"`{word.Word}`: {Escaped(word.Help)}"));
            rows.Append("| ").Append(names).Append(value).Append(" | ").Append(Escaped(entry.Help)).Append(words.Length > 0 ? " " : "").Append(words).Append(" |\n");
        }

        return rows.ToString();
    }

    /// <summary>Escapes what Markdown would take for the border of a cell, or for markup.</summary>
    private static string Escaped(string text) => text.Replace("|", "\\|", StringComparison.Ordinal).Replace("*", "\\*", StringComparison.Ordinal);
}
