using System.Text;
using TcpCloser.Cli;

namespace TcpCloser.Generate;

/// <summary>The completion for fish.</summary>
internal static class FishCompletion
{
    private const string Head =
        """
        # Completion of tcp-closer for fish. Made by packaging/generate.

        complete -c tcp_closer -w tcp-closer
        complete -c tcp-closer -f

        """;

    public static string Text()
    {
        var text = new StringBuilder(Head);
        foreach (OptionEntry entry in OptionTable.Entries)
        {
            text.Append("complete -c tcp-closer");
            foreach (string name in entry.Names)
            {
                text.Append(name.StartsWith("--", StringComparison.Ordinal) ? " -l " : " -s ").Append(name.TrimStart('-'));
            }

            text.Append(entry.TakesValue ? Values(OptionValue.Of(entry)) : "").Append(" -d ").Append(Quoted(entry.Help.TrimEnd(':'))).Append('\n');
        }

        return text.ToString();
    }

    private static string Values(OptionValue value) => value.Kind switch
    {
        ValueKind.Free => " -x",
        ValueKind.Word => $" -x -a {Quoted(value.Text)}",
        ValueKind.WordList => $" -x -a {Quoted($"(__fish_append , {value.Text})")}",
        ValueKind.Line => $" -x -a {Quoted($"(begin; {value.Text}; end 2>/dev/null)")}",
        ValueKind.LineList => $" -x -a {Quoted($"(__fish_append , (begin; {value.Text}; end 2>/dev/null))")}",
        ValueKind.File => " -r -F",
        ValueKind.Folder => $" -x -a {Quoted("(__fish_complete_directories)")}",
    };

    private static string Quoted(string text) =>
        $"'{text.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("'", "\\'", StringComparison.Ordinal)}'";
}
