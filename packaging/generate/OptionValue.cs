using TcpCloser.Cli;
using TcpCloser.Interop;

namespace TcpCloser.Generate;

/// <summary>What a shell can offer as an option's value.</summary>
/// <param name="Kind">How it finds out.</param>
/// <param name="Text">The words with spaces between, or the command; else empty.</param>
internal sealed record OptionValue(ValueKind Kind, string Text = "")
{
    private const string Services = "awk '$2 ~ /tcp$/ { print $1 }' /etc/services";

    private static readonly OptionValue s_free = new(ValueKind.Free);

    /// <summary>That of an option that takes one.</summary>
    public static OptionValue Of(OptionEntry entry)
    {
        if (entry.Words.Length > 0)
        {
            return new(ValueKind.Word, string.Join(' ', entry.Words.Select(static word => word.Word)));
        }

        // A placeholder that lists the words themselves.
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
            "--group-by" => new(ValueKind.Word, "port peer process uid state netns"),
            "--cgroup" => new(ValueKind.Folder),
            "--logfile" or "--metrics" => new(ValueKind.File),
            _ => s_free,
        };
    }

    private static string States()
    {
        IEnumerable<string> names = Enumerable.Range(1, TcpState.Count - 1).Select(static state => System.Text.Encoding.ASCII.GetString(StateList.Name((byte)state)))
            .Where(static name => name != "unknown");
        return string.Join(' ', [.. names, "all", "connected", "synchronized", "bucket", "big"]);
    }

    private static string Signals() =>
        string.Join(' ', Enumerable.Range(1, 31).Select(static number => Signal.NameOf(number)[3..]));
}
