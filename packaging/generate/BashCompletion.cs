using System.Text;
using TcpCloser.Cli;

namespace TcpCloser.Generate;

/// <summary>The completion for bash, which needs nothing but bash.</summary>
internal static class BashCompletion
{
    private const string Head =
        """
        # shellcheck shell=bash
        # Completion of tcp-closer for bash. Made by packaging/generate.

        _tcp_closer() {
            local cur=${COMP_WORDS[COMP_CWORD]} option=${COMP_WORDS[COMP_CWORD-1]} words=''
            # bash takes the = of --option=value for a word.
            if [[ $cur == = ]]; then
                cur=''
            elif [[ $option == = ]]; then
                option=${COMP_WORDS[COMP_CWORD-2]}
            fi
            case $option in

        """;

    private const string Tail =
        """
            esac
            mapfile -t COMPREPLY < <(compgen -W "$words" -- "$cur")
        }

        # Completes what stands behind the last comma.
        _tcp_closer_list() {
            compopt -o nospace
            local before=${1%"${1##*,}"}
            mapfile -t COMPREPLY < <(compgen -P "$before" -W "$2" -- "${1##*,}")
        }

        complete -F _tcp_closer tcp-closer tcp_closer

        """;

    public static string Text()
    {
        var text = new StringBuilder(Head);
        foreach (OptionEntry entry in OptionTable.Entries.Where(static entry => entry.TakesValue))
        {
            text.Append("        ").AppendJoin(" | ", entry.Names).Append(") ").Append(Values(OptionValue.Of(entry))).Append(" ;;\n");
        }

        return text.Append("        *) words='").AppendJoin(' ', OptionTable.Entries.SelectMany(static entry => entry.Names)).Append("' ;;\n")
            .Append(Tail).ToString();
    }

    private static string Values(OptionValue value) => value.Kind switch
    {
        ValueKind.Free => "return",
        ValueKind.Word => $"words='{value.Text}'",
        ValueKind.WordList => $"_tcp_closer_list \"$cur\" '{value.Text}'; return",
        ValueKind.Line => $"words=$({{ {value.Text}; }} 2>/dev/null)",
        ValueKind.LineList => $"_tcp_closer_list \"$cur\" \"$({{ {value.Text}; }} 2>/dev/null)\"; return",
        ValueKind.File => "compopt -o filenames; mapfile -t COMPREPLY < <(compgen -f -- \"$cur\"); return",
        ValueKind.Folder => "compopt -o filenames; mapfile -t COMPREPLY < <(compgen -d -- \"$cur\"); return",
    };
}
