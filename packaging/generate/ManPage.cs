using System.Text;
using System.Text.RegularExpressions;
using TcpCloser.Cli;

namespace TcpCloser.Generate;

/// <summary>The manual page: a template in which the options are put, in man(7).</summary>
internal static partial class ManPage
{
    /// <summary>mandoc(1) remarks on longer lines.</summary>
    private const int Width = 78;

    private static readonly OptionGroup[] s_groups = [OptionGroup.Selecting, OptionGroup.Idle, OptionGroup.Closing, OptionGroup.Telling];

    public static string Text(string template) => template.Replace("@OPTIONS@\n", Options(), StringComparison.Ordinal);

    private static string Options()
    {
        var text = new StringBuilder();
        foreach (OptionGroup group in s_groups)
        {
            text.Append(".SS ").Append(Title(group)).Append('\n');
            foreach (OptionEntry entry in OptionTable.Entries.Where(entry => entry.Group == group))
            {
                AddEntry(text, entry);
            }
        }

        return text.ToString();
    }

    private static string Title(OptionGroup group) => group switch
    {
        OptionGroup.Selecting => "Selecting",
        OptionGroup.Idle => "How long idle",
        OptionGroup.Closing => "Closing",
        OptionGroup.Telling => "Telling",
    };

    private static void AddEntry(StringBuilder text, OptionEntry entry)
    {
        string names = string.Join(", ", entry.Names.Select(static name => $"\\fB{Escaped(name)}\\fP"));
        text.Append(".TP\n").Append(names).Append(entry.TakesValue ? $" \\fI{Escaped(entry.Placeholder!)}\\fP" : "").Append('\n');
        AddText(text, entry.Help);
        if (entry.Words.Length > 0)
        {
            text.Append(".RS\n");
            foreach (OptionWord word in entry.Words)
            {
                text.Append(".TP\n.B ").Append(Escaped(word.Word)).Append('\n');
                AddText(text, word.Help);
            }

            text.Append(".RE\n");
        }
    }

    /// <summary>A sentence, cut between words. No word here begins with a dot or a quote, which would be a macro at the start of a line.</summary>
    private static void AddText(StringBuilder text, string help)
    {
        string sentence = char.ToUpperInvariant(help[0]) + help[1..] + (help[^1] == ':' ? "" : ".");
        int column = 0;
        foreach (string word in Escaped(sentence).Split(' '))
        {
            if (column > 0 && column + 1 + word.Length > Width)
            {
                text.Append('\n');
                column = 0;
            }

            text.Append(column > 0 ? " " : "").Append(word);
            column += word.Length + (column > 0 ? 1 : 0);
        }

        text.Append('\n');
    }

    /// <summary>A hyphen that is typed is a minus sign in roff; one between words is not.</summary>
    private static string Escaped(string text) => TypedHyphen().Replace(text.Replace("\\", "\\e", StringComparison.Ordinal), static match => match.Value.Replace("-", "\\-", StringComparison.Ordinal));

    [GeneratedRegex(@"(?<![\w-])--?[\w][\w-]*|[\w]*[0-9]-[0-9]+")]
    private static partial Regex TypedHyphen();
}
