using System.Text;
using System.Text.RegularExpressions;
using TcpCloser.Cli;

namespace TcpCloser.Generate;

/// <summary>
/// The man page, in man(7). The template and the long texts of the options are plain text with a little markup: lines that begin with a dot
/// are macros of man(7), <c>`word`</c> is bold, and so are the names of options and other pages. An empty line or a macro ends a paragraph.
/// </summary>
internal static partial class ManPage
{
    /// <summary>mandoc(1) warns about longer lines.</summary>
    private const int Width = 78;

    /// <summary>Placeholders that the template names outside of the options; they are in italics.</summary>
    private static readonly string[] s_placeholders = ["SELECTION", "TIME", "LIST", "NAME", "METHOD", "KEY"];

    private static readonly OptionGroup[] s_groups = [OptionGroup.Looking, OptionGroup.Idle, OptionGroup.Selecting, OptionGroup.Closing, OptionGroup.Output];

    public static string Text(string template)
    {
        var text = new StringBuilder();
        var paragraph = new List<string>();
        bool isTag = false;
        bool isExample = false;
        foreach (string line in template.TrimEnd('\n').Split('\n'))
        {
            if (isTag)
            {
                text.Append(line.StartsWith('.') ? line : Marked(line, s_placeholders)).Append('\n');
                isTag = false;
            }
            else if (isExample && line != ".EE")
            {
                text.Append(Literal(line)).Append('\n');
            }
            else if (line == "@OPTIONS@")
            {
                AddOptions(text);
            }
            else if (line.StartsWith('.'))
            {
                AddParagraph(text, paragraph, s_placeholders);
                text.Append(line).Append('\n');
                (isTag, isExample) = (line.StartsWith(".TP", StringComparison.Ordinal), line == ".EX");
            }
            else
            {
                paragraph.Add(line);
            }
        }

        AddParagraph(text, paragraph, s_placeholders);
        return text.ToString();
    }

    private static void AddOptions(StringBuilder text)
    {
        foreach (OptionGroup group in s_groups)
        {
            text.Append(".SS ").Append(Title(group)).Append('\n');
            foreach (OptionEntry entry in OptionTable.Entries.Where(entry => entry.Group == group))
            {
                AddEntry(text, entry);
            }
        }
    }

    private static string Title(OptionGroup group) => group switch
    {
        OptionGroup.Looking => "Looking",
        OptionGroup.Idle => "Dead or quiet",
        OptionGroup.Selecting => "Selecting",
        OptionGroup.Closing => "Closing",
        OptionGroup.Output => "Output",
    };

    private static void AddEntry(StringBuilder text, OptionEntry entry)
    {
        string names = string.Join(", ", entry.Names.Select(static name => $"\\fB{Literal(name)}\\fP"));
        text.Append(".TP\n").Append(names).Append(entry.TakesValue ? $" \\fI{Literal(entry.Placeholder!)}\\fP" : "").Append('\n');
        string[] placeholders = entry.Placeholder is null ? [] : Word().Matches(entry.Placeholder).Select(static match => match.Value).ToArray();
        AddManual(text, entry.Manual, placeholders);
    }

    /// <summary>Adds the long text of an option: paragraphs, and examples, which are indented.</summary>
    private static void AddManual(StringBuilder text, string manual, string[] placeholders)
    {
        string[] paragraphs = manual.Split("\n\n");
        for (int i = 0; i < paragraphs.Length; i++)
        {
            text.Append(i > 0 ? ".IP\n" : "");
            string[] lines = paragraphs[i].Split('\n');
            if (lines[0].StartsWith("    ", StringComparison.Ordinal))
            {
                text.Append(".EX\n").AppendJoin('\n', lines.Select(static line => Literal(line[4..]))).Append("\n.EE\n");
            }
            else
            {
                AddParagraph(text, [.. lines], placeholders);
            }
        }
    }

    /// <summary>Adds the lines as one paragraph, wrapped between words, and clears them.</summary>
    private static void AddParagraph(StringBuilder text, List<string> lines, string[] placeholders)
    {
        int column = 0;
        foreach (string word in Marked(string.Join(' ', lines), placeholders).Split(' ', StringSplitOptions.RemoveEmptyEntries))
        {
            if (column > 0 && column + 1 + word.Length > Width)
            {
                text.Append('\n');
                column = 0;
            }

            // At the start of a line, these would be a macro.
            string guard = column == 0 && word[0] is '.' or '\'' ? "\\&" : "";
            text.Append(column > 0 ? " " : "").Append(guard).Append(word);
            column += guard.Length + word.Length + (column > 0 ? 1 : 0);
        }

        text.Append(column > 0 ? "\n" : "");
        lines.Clear();
    }

    /// <summary>Converts the markup of a text to roff.</summary>
    private static string Marked(string text, string[] placeholders)
    {
        string[] parts = text.Split('`');
        for (int i = 0; i < parts.Length; i++)
        {
            parts[i] = i % 2 == 1 ? Bold(parts[i]) : Token().Replace(parts[i].Replace("\\", "\\e", StringComparison.Ordinal), match => match switch
            {
                { Groups: [_, { Success: true } option, ..] } => Bold(option.Value),
                { Groups: [_, _, { Success: true } page, { } section, ..] } => Bold(page.Value) + section.Value,
                _ when placeholders.Contains(match.Value) => $"\\fI{match.Value}\\fP",
                _ => match.Value,
            });
        }

        return string.Concat(parts);
    }

    private static string Bold(string text) => $"\\fB{Literal(text)}\\fP";

    /// <summary>Escapes text that users type, in which each hyphen is a minus sign.</summary>
    private static string Literal(string text)
    {
        string escaped = text.Replace("\\", "\\e", StringComparison.Ordinal).Replace("-", "\\-", StringComparison.Ordinal).Replace("'", "\\(aq", StringComparison.Ordinal)
            .Replace("^", "\\(ha", StringComparison.Ordinal).Replace("~", "\\(ti", StringComparison.Ordinal);
        return escaped.StartsWith('.') ? "\\&" + escaped : escaped;
    }

    /// <summary>An option, a reference to a page with its section, or a word in capital letters.</summary>
    [GeneratedRegex(@"(?<![\w-])(--?[A-Za-z0-9][\w-]*)|(?<![\w-])([a-z][\w.-]*)(\([1-8]\))|\b[A-Z]+\b")]
    private static partial Regex Token();

    [GeneratedRegex("[A-Z]+")]
    private static partial Regex Word();
}
