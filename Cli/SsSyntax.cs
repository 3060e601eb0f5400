using System.Text;
using TcpCloser.Rules;

namespace TcpCloser.Cli;

/// <summary>Advice for users who type options and filters of ss(8), or paste the endpoints that it prints.</summary>
internal static class SsSyntax
{
    private const string Wanted = "write filters of ss as options, such as -s 22 --dst 10.0.0.0/8 --state close-wait";

    /// <summary>
    /// The length limit of a port: names in /etc/services have up to 15 characters (RFC 6335), ranges of two numbers have 11.
    /// </summary>
    private const int MaxPortLength = 15;

    /// <summary>The equivalent of an option of ss; null: the word is not an option that users of ss miss.</summary>
    public static string? AdviceOnOption(string word)
    {
        string option = word.Length > 2 && word[1] != '-' ? word[..2] : word; // flags in one word, or a value that follows directly
        return option switch
        {
            "-p" => "ports are -s (local) and -d (remote); -n shows the processes in the column OWNER, --pid and --comm select by them",
            "-K" or "--kill" => "connections are closed unless -n is given",
            "-a" => "every state but listen is --state all",
            "-l" or "--listening" => "listening sockets are closed only if --state listen names them",
            "-N" => "another network namespace is --netns NAME",
            "-m" => "--method, --max, --mark and --metrics have no short form; the queues, which ss -m shows, are logged with -v",
            "-o" => "-n shows how long ago data was received and sent; timers, which ss -o shows, are not available",
            _ => null,
        };
    }

    /// <summary>
    /// Advice on <c>-t</c> followed by other flags, which ss and netstat accept (<c>-tn</c>, <c>-tanp</c>); null: the value is something
    /// else.
    /// </summary>
    public static string? AdviceOnTime(string option, string value)
    {
        foreach (char c in value)
        {
            if (!"46aelnoprtuw".Contains(c))
            {
                return null;
            }
        }

        return option == "-t" && value.AsSpan().ContainsAnyInRange('a', 'z')
            ? "-t takes a TIME here, such as 90s; only TCP is looked at, and -n shows the connections with their processes"
            : null;
    }

    /// <summary>Advice on two endpoints, or a line of ss, where neither belongs; null: the text is something else.</summary>
    public static string? AdviceOnConnection(string text)
    {
        if (!ConnectionLine.TryParse(Encoding.UTF8.GetBytes(text), new NamedConnections(), out _, out _))
        {
            return null;
        }

        string[] ends = Array.FindAll(text.Split([' ', '\t'], StringSplitOptions.RemoveEmptyEntries), static word => HostPort.TrySplit(word, out _, out _));
        string input = ends.Length >= 2 ? $"echo '{ends[0]} {ends[1]}'" : "ss -tneH ...";
        return $"connections by their endpoints, and lines of ss, are read from a file or from stdin: {input} | tcp-closer --only -";
    }

    /// <summary>
    /// The options that are equivalent to a filter of ss (<c>sport = :22</c>), or that select pasted endpoints; null: the words are
    /// neither.
    /// </summary>
    /// <param name="args">The command line from the first of these words on.</param>
    public static string? AdviceOnWords(ReadOnlySpan<string> args)
    {
        string[] words = Words(args);
        if (AdviceOnConnection(string.Join(' ', words)) is { } advice)
        {
            return advice;
        }

        var options = new StringBuilder();
        int ends = 0;
        for (int i = 0; i < words.Length; i++)
        {
            bool isFilter = words[i] is "sport" or "dport" or "src" or "dst" or "state";
            if (isFilter)
            {
                string filter = words[i];
                i += i + 1 < words.Length && words[i + 1] is "=" or "==" or "eq" ? 2 : 1;
                string? option = i < words.Length ? Option(filter, words[i]) : null;
                if (option is null)
                {
                    return Wanted;
                }

                options.Append(' ').Append(option);
            }
            else if (ends < 2 && HostPort.TrySplit(words[i], out string host, out string port))
            {
                options.Append(ends++ == 0 ? $" --src {host} -s {port}" : $" --dst {host} -d {port}");
            }
            else if (words[i] is not ("and" or "&" or "&&" or "->"))
            {
                return options.Length == 0 ? null : Wanted;
            }
        }

        return options.Length == 0 ? null : "write this as options:" + options;
    }

    /// <summary>The words up to the next option, including those of a quoted argument.</summary>
    private static string[] Words(ReadOnlySpan<string> args)
    {
        var text = new StringBuilder();
        foreach (string arg in args)
        {
            if (arg.StartsWith("--", StringComparison.Ordinal) || (arg.Length == 2 && arg[0] == '-'))
            {
                break;
            }

            text.Append(arg).Append(' ');
        }

        return text.Replace("=", " = ").Replace(" =  = ", " == ").ToString().Split([' ', '(', ')'], StringSplitOptions.RemoveEmptyEntries);
    }

    /// <summary>One filter as an option; null: no option is equivalent. The result is safe to show in a shell command.</summary>
    private static string? Option(string filter, string value)
    {
        string letter = filter is "sport" or "src" ? "-s" : "-d";
        switch (filter)
        {
            case "state":
                return StateList.IsState(value) ? $"--state {value}" : null;
            case "sport" or "dport":
                string ports = value.TrimStart(':');
                return IsPortOrName(ports) ? $"{letter} {ports}" : null;
            default:
                return HostPort.TrySplit(value, out string host, out string port) ? $"--{filter} {host} {letter} {port}"
                    : AddressList.ParseOne(value) is { } prefix ? $"--{filter} {prefix}"
                    : null;
        }
    }

    /// <summary>Whether the text has the characters of a number, a range or a service name.</summary>
    public static bool IsPortOrName(string text)
    {
        foreach (char c in text)
        {
            if (!char.IsAsciiLetterOrDigit(c) && c != '-')
            {
                return false;
            }
        }

        return text.Length is > 0 and <= MaxPortLength;
    }
}
