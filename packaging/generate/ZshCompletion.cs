using System.Text;
using TcpCloser.Cli;

namespace TcpCloser.Generate;

/// <summary>The completion for zsh.</summary>
internal static class ZshCompletion
{
    private const string Head =
        """
        #compdef tcp-closer tcp_closer
        # Completion of tcp-closer for zsh. Made by packaging/generate.

        _tcp_closer_words() { compadd "${@:2}" -- ${=1} }
        _tcp_closer_lines() { compadd "${@:2}" -- ${(f)"$(eval "$1" 2>/dev/null)"} }

        _arguments -s -S \

        """;

    public static string Text()
    {
        var text = new StringBuilder(Head);
        OptionEntry[] entries = OptionTable.Entries;
        for (int i = 0; i < entries.Length; i++)
        {
            foreach (string name in entries[i].Names)
            {
                bool isLast = i == entries.Length - 1 && name == entries[i].Names[^1];
                text.Append("    ").Append(Spec(entries[i], name)).Append(isLast ? "\n" : " \\\n");
            }
        }

        return text.ToString();
    }

    private static string Spec(OptionEntry entry, string name)
    {
        string help = entry.Help.TrimEnd(':').Replace(":", "\\:", StringComparison.Ordinal).Replace("[", "\\[", StringComparison.Ordinal)
            .Replace("]", "\\]", StringComparison.Ordinal).Replace("'", "'\\''", StringComparison.Ordinal);
        if (!entry.TakesValue)
        {
            return $"'({string.Join(' ', entry.Names)}){name}[{help}]'";
        }

        // A long name has its value behind = or in the next word, a short one behind it or there.
        string form = name.StartsWith("--", StringComparison.Ordinal) ? name + "=" : name + "+";
        string placeholder = entry.Placeholder!.Replace(":", "\\:", StringComparison.Ordinal);
        return $"'*{form}[{help}]:{placeholder}:{Action(OptionValue.Of(entry))}'";
    }

    private static string Action(OptionValue value) => value.Kind switch
    {
        ValueKind.Free => " ",
        ValueKind.Word => $"({value.Text})",
        ValueKind.WordList => $"_sequence _tcp_closer_words {Quoted(value.Text)}",
        ValueKind.Line => $" _tcp_closer_lines {Quoted(value.Text)}",
        ValueKind.LineList => $"_sequence _tcp_closer_lines {Quoted(value.Text)}",
        ValueKind.File => "_files",
        ValueKind.Folder => "_files -/",
    };

    /// <summary>A word inside of an action, which itself stands in single quotes.</summary>
    private static string Quoted(string text)
    {
        string escaped = text.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("$", "\\$", StringComparison.Ordinal)
            .Replace(":", "\\:", StringComparison.Ordinal).Replace("'", "'\\''", StringComparison.Ordinal);
        return $"\"{escaped}\"";
    }
}
