using TcpCloser.Cli;
using TcpCloser.Interop;
using TcpCloser.Rules;

namespace TcpCloser.Generate;

/// <summary>What a shell can offer as an option's value.</summary>
/// <param name="Kind">Where the values come from.</param>
/// <param name="Text">The words, separated by spaces, or the command; otherwise empty.</param>
internal sealed record OptionValue(ValueKind Kind, string Text = "")
{
    private const string Services = "awk '$2 ~ /tcp$/ { print $1 }' /etc/services";

    private const string Units = "systemctl list-units --plain --no-legend --type=service,scope,slice | awk '{ print $1 }'";

    private const string Pods = "ls /var/log/pods | tr _ / | cut -d/ -f1,2";

    private static readonly OptionValue s_free = new(ValueKind.Free);

    /// <summary>The values of an option that takes one.</summary>
    public static OptionValue Of(OptionEntry entry)
    {
        if (entry.Words.Length > 0)
        {
            return new(ValueKind.Word, string.Join(' ', entry.Words.Select(static word => word.Word)));
        }

        // The placeholder itself lists the words.
        if (entry.Placeholder!.Contains('|') && !entry.Placeholder.Any(char.IsAsciiLetterUpper))
        {
            return new(ValueKind.Word, entry.Placeholder.Replace('|', ' '));
        }

        return entry.Names[^1] switch
        {
            "--state" => new(ValueKind.WordList, States()),
            "--signal" => new(ValueKind.Word, Signals()),
            "--sport" or "--dport" => new(ValueKind.LineList, Services),
            "--uid" => new(ValueKind.LineList, "cut -d: -f1 /etc/passwd"),
            "--pid" => new(ValueKind.LineList, "ls /proc | sed '/^[1-9]/!d'"),
            "--comm" => new(ValueKind.LineList, "cat /proc/*/comm | grep -v ' ' | sort -u"),
            "--interface" => new(ValueKind.Line, "ls /sys/class/net"),
            "--netns" => new(ValueKind.Line, "ls /run/netns"),
            "--group-by" => new(ValueKind.Word, "port peer process command uid unit pod state netns"),
            "--cgroup" or "--not-cgroup" => new(ValueKind.LineList, Units),
            "--pod" => new(ValueKind.LineList, Pods),
            "--logfile" or "--metrics" or "--only" => new(ValueKind.File),
            _ => s_free,
        };
    }

    private static string States()
    {
        IEnumerable<string> names = Enumerable.Range(1, TcpState.Count - 1).Select(static state => System.Text.Encoding.ASCII.GetString(StateSet.Name((byte)state)))
            .Where(static name => name != "unknown");
        return string.Join(' ', [.. names, "all", "connected", "synchronized", "bucket", "big"]);
    }

    private static string Signals() =>
        string.Join(' ', Enumerable.Range(1, 31).Select(static number => Signal.NameOf(number)[3..]));
}

/// <summary>Where a shell gets the possible values of an option from.</summary>
internal enum ValueKind
{
    /// <summary>Nowhere: a time, a number, an address.</summary>
    Free,

    /// <summary>One of a few words.</summary>
    Word,

    /// <summary>Several of a few words, separated by commas.</summary>
    WordList,

    /// <summary>A line of the output of a command.</summary>
    Line,

    /// <summary>Several lines of the output of a command, separated by commas.</summary>
    LineList,

    /// <summary>A file.</summary>
    File,
}
