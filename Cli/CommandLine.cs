using System.CommandLine;
using System.CommandLine.Parsing;
using TcpCloser.Rules;

namespace TcpCloser.Cli;

/// <summary>Parses and validates the command line, in the forms of getopt_long(3): <c>-s22</c>, <c>-4v</c>, <c>--sport=22</c>.</summary>
internal static class CommandLine
{
    /// <summary>Parses the command line.</summary>
    /// <param name="text">The text to print if <c>--help</c> or <c>--version</c> was given; otherwise null.</param>
    /// <returns>The rule and the run options; null if <paramref name="text"/> is set.</returns>
    /// <exception cref="UsageException">The command line is invalid.</exception>
    public static (Rule Rule, RunOptions Run)? Parse(string[] args, out string? text)
    {
        RefuseOtherForms(args);
        var builder = new CommandLineBuilder();
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

            OptionEntry entry = (token.Type == TokenType.Option ? OptionTable.Find(token.Value) : null) ?? throw NoOption(args, token.Value, optionsEnded);
            if (!entry.TakesValue)
            {
                entry.Apply(builder);
            }
            else if (i + 1 < tokens.Count && tokens[i + 1].Type == TokenType.Argument)
            {
                string value = tokens[++i].Value;
                RefuseOption(args, entry, token.Value, value);
                entry.Apply(builder, token.Value, value);
            }
            else
            {
                throw new UsageException($"{token.Value}: a value is missing");
            }

            if (builder.Text is not null)
            {
                text = builder.Text;
                return null;
            }
        }

        text = null;
        return builder.Build();
    }

    /// <summary>
    /// Refuses an option in the place of a value: otherwise <c>-f --dry-run</c> would log to a file of that name and close connections.
    /// After an equals sign, as in <c>--name=-v</c>, it can only be the value.
    /// </summary>
    private static void RefuseOption(string[] args, OptionEntry entry, string name, string value)
    {
        string attached = $"{entry.LongName}={value}";
        bool isAttached = name.StartsWith("--", StringComparison.Ordinal) && Array.IndexOf(args, $"{name}={value}") >= 0 && !IsFollowedBy(args, name, value);
        if (!isAttached && OptionTable.IsOption(value))
        {
            throw new UsageException(name, value, $"this is an option, so {name} has no value; if it is the value, write {UsageException.Show(attached)}");
        }
    }

    /// <summary>Whether the second word directly follows the first one anywhere.</summary>
    private static bool IsFollowedBy(string[] args, string first, string second)
    {
        for (int i = 1; i < args.Length; i++)
        {
            if (args[i - 1] == first && args[i] == second)
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>The error for a word that is neither an option nor the value of one, with a suggestion if there is one.</summary>
    /// <param name="optionsEnded">Whether the word follows <c>--</c>.</param>
    private static UsageException NoOption(string[] args, string word, bool optionsEnded)
    {
        int at = Array.IndexOf(args, word);
        if (at < 0)
        {
            // The parser has split a group of flags such as -np: only the unknown rest is left.
            word = "-" + word[..(word.Length > 1 && char.IsSurrogatePair(word[0], word[1]) ? 2 : 1)];
        }

        return word.StartsWith('-') && !optionsEnded
            ? new UsageException("unknown option", word,
                Suggestion.ForOption(word) ?? SsSyntax.AdviceOnOption(word) ?? "no option has this name; names cannot be abbreviated")
            : new UsageException("stray argument", word, SsSyntax.AdviceOnWords(args.AsSpan(at)) ?? "every value belongs to an option, as in -s 22");
    }

    /// <summary>
    /// Splits the command line into options and values. The order of the tokens decides which value belongs to which option, so the
    /// last occurrence wins, the number of occurrences is not limited, and the first error is reported.
    /// </summary>
    private static IReadOnlyList<Token> Tokenize(string[] args)
    {
        var command = new Command("tcp-closer");
        foreach (OptionEntry entry in OptionTable.Entries)
        {
            // A custom parser that does nothing: the values are taken from the tokens, and the package's converters for all types
            // stay out of the binary.
            command.Add(new Option<string>(entry.Names[0], entry.Names[1..])
            {
                Arity = entry.TakesValue ? ArgumentArity.OneOrMore : ArgumentArity.Zero,
                CustomParser = static _ => null,
            });
        }

        // The parser removes the program's name from the start of the command line. Prepending it keeps one that the user typed.
        return command.Parse([command.Name, .. args], new ParserConfiguration { ResponseFileTokenReplacer = null }).Tokens;
    }

    /// <summary>
    /// Refuses forms that the parser accepts and getopt_long does not: <c>-s=22</c> (there the value is <c>=22</c>),
    /// <c>--sport:22</c> and <c>--verbose=</c>. They meant something else to the C tool. Also refuses words that are not UTF-8.
    /// </summary>
    private static void RefuseOtherForms(string[] args)
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
                RefuseOtherLongForm(arg);
            }
            else if (arg.StartsWith('-'))
            {
                RefuseOtherShortForm(arg);
            }
        }
    }

    private static void RefuseOtherLongForm(string arg)
    {
        int end = arg.AsSpan().IndexOfAny('=', ':');
        OptionEntry? entry = end < 0 ? null : OptionTable.Find(arg[..end]);
        if (entry is { TakesValue: false })
        {
            throw new UsageException(arg[..end], arg[end..], "this option takes no value");
        }

        if (entry is not null && arg[end] == ':')
        {
            throw new UsageException("unknown option", arg, "the value follows '=' or is the next word");
        }
    }

    private static void RefuseOtherShortForm(string arg)
    {
        for (int i = 1; i < arg.Length - 1; i++)
        {
            string name = "-" + arg[i];
            OptionEntry? entry = OptionTable.Find(name);
            if (entry is null)
            {
                return;
            }

            if (arg[i + 1] is '=' or ':')
            {
                throw new UsageException(name, arg[(i + 1)..], entry.TakesValue
                    ? $"the value follows directly or is the next word, without '{arg[i + 1]}'"
                    : "this option takes no value");
            }

            if (entry.TakesValue)
            {
                return;
            }
        }
    }
}
