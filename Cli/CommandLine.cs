using System.CommandLine;
using System.CommandLine.Parsing;

namespace TcpCloser.Cli;

/// <summary>The words of the command line as checked <see cref="Options"/>. getopt_long(3) users type it: <c>-s22</c>, <c>-4v</c>, <c>--sport=22</c>.</summary>
internal static class CommandLine
{
    /// <summary>Options that take no value.</summary>
    private static readonly string[][] s_flags =
    [
        ["-4"], ["-6"], ["-h", "--help"], ["-n", "--dry-run"], ["-v", "--verbose"], ["--version"],
        ["--use-proc", "--use_proc"], ["--disable-syslog", "--disable_syslog"],
        ["--all-netns"], ["--include-own-session"], ["--check"], ["--json"],
    ];

    /// <summary>Options that take one value each time they are given.</summary>
    private static readonly string[][] s_valued =
    [
        ["-s", "--sport"], ["-d", "--dport"], ["--state"],
        ["-t", "--idle-time", "--idle_time"], ["--last-recv-limit", "--last_recv_limit"],
        ["-i", "--interval"], ["-f", "--logfile"], ["--signal"],
        ["--src"], ["--dst"], ["--not-src"], ["--not-dst"], ["--uid"], ["--pid"], ["--comm"], ["--interface"], ["--mark"],
        ["--cgroup"], ["--netns"], ["--idle-by"], ["--no-ack-for"], ["--method"], ["--grace"], ["--max"],
    ];

    /// <summary>Reads the command line.</summary>
    /// <returns>The options; null where <c>--help</c> or <c>--version</c> was asked for, which <paramref name="text"/> then answers.</returns>
    /// <exception cref="UsageException">Anything that cannot be meant.</exception>
    public static Options? Parse(string[] args, out string? text)
    {
        RefuseForeignForms(args);
        var draft = new OptionsDraft();
        IReadOnlyList<Token> tokens = Tokenize(args);
        bool optionsEnded = false;
        for (int i = 0; i < tokens.Count; i++)
        {
            Token token = tokens[i];
            if (token.Type == TokenType.DoubleDash)
            {
                optionsEnded = true;
                continue;
            }

            if (token.Type != TokenType.Option)
            {
                throw token.Value.StartsWith('-') && !optionsEnded
                    ? new UsageException("unknown option", token.Value, "there is none of that name, and names are not abbreviated")
                    : new UsageException("stray argument", token.Value, "every value belongs to an option, as in -s 22");
            }

            string option = token.Value;
            if (option is "-h" or "--help" or "--version")
            {
                text = option == "--version" ? HelpText.Version : HelpText.Help;
                return null;
            }

            if (IsFlag(option))
            {
                draft.SetFlag(option);
            }
            else if (i + 1 < tokens.Count && tokens[i + 1].Type == TokenType.Argument)
            {
                draft.SetValue(option, tokens[++i].Value);
            }
            else
            {
                throw new UsageException($"{option}: a value is missing");
            }
        }

        text = null;
        return draft.Finish();
    }

    /// <summary>
    /// The command line cut into options and values. Which value belongs to which option is read off the order of the tokens:
    /// so the last of two counts, there is no limit on how many there are, and the first error is the one that is told.
    /// </summary>
    private static IReadOnlyList<Token> Tokenize(string[] args)
    {
        var command = new Command("tcp-closer");
        foreach (string[] names in s_flags)
        {
            command.Add(Option(names, ArgumentArity.Zero));
        }

        foreach (string[] names in s_valued)
        {
            command.Add(Option(names, ArgumentArity.OneOrMore));
        }

        // The program's name goes first because the parser takes it away where it finds it, also from a user who typed it.
        return command.Parse([command.Name, .. args], new ParserConfiguration { ResponseFileTokenReplacer = null }).Tokens;
    }

    /// <summary>
    /// With a parser of our own that parses nothing: the values are read off the tokens, and the package's converters for every
    /// type there is stay out of the binary.
    /// </summary>
    private static Option<string> Option(string[] names, ArgumentArity arity) =>
        new(names[0], names[1..]) { Arity = arity, CustomParser = static _ => null };

    private static bool IsFlag(string option) => Array.Exists(s_flags, names => Array.IndexOf(names, option) >= 0);

    /// <summary>
    /// The parser takes forms that getopt_long does not: <c>-s=22</c> (there the value is <c>=22</c>), <c>--sport:22</c>, and
    /// <c>--verbose=</c>. Who writes them means something else than the C tool did, so they are refused, and so is a word in
    /// bytes that are no text.
    /// </summary>
    private static void RefuseForeignForms(string[] args)
    {
        foreach (string arg in args)
        {
            if (arg == "--")
            {
                return;
            }

            if (arg.Contains('\ufffd'))
            {
                throw new UsageException("argument", arg, "not valid UTF-8");
            }

            if (arg.StartsWith("--", StringComparison.Ordinal))
            {
                RefuseForeignLongForm(arg);
            }
            else if (arg.StartsWith('-'))
            {
                RefuseForeignShortForm(arg);
            }
        }
    }

    private static void RefuseForeignLongForm(string arg)
    {
        int end = arg.AsSpan().IndexOfAny('=', ':');
        if (end < 0)
        {
            return;
        }

        string option = arg[..end];
        if (IsFlag(option))
        {
            throw new UsageException(option, arg[end..], "takes no value");
        }

        if (arg[end] == ':')
        {
            throw new UsageException("unknown option", arg, "a value follows after '=' or as the next word");
        }
    }

    private static void RefuseForeignShortForm(string arg)
    {
        for (int i = 1; i < arg.Length - 1; i++)
        {
            string option = "-" + arg[i];
            if (arg[i + 1] is '=' or ':')
            {
                throw new UsageException(option, arg[(i + 1)..], IsFlag(option)
                    ? "takes no value"
                    : $"the value follows at once or as the next word, without '{arg[i + 1]}'");
            }

            if (!IsFlag(option))
            {
                return;
            }
        }
    }
}
