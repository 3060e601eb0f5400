using System.CommandLine;
using System.CommandLine.Parsing;

namespace TcpCloser.Cli;

/// <summary>The words of the command line, checked. getopt_long(3) users type it: <c>-s22</c>, <c>-4v</c>, <c>--sport=22</c>.</summary>
internal static class CommandLine
{
    /// <summary>Reads the command line.</summary>
    /// <returns>What it asks for; null where <c>--help</c> or <c>--version</c> was asked for, which <paramref name="text"/> then answers.</returns>
    /// <exception cref="UsageException">Anything that cannot be meant.</exception>
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

            OptionEntry entry = (token.Type == TokenType.Option ? OptionTable.Find(token.Value) : null) ?? throw NoOption(token.Value, optionsEnded);
            if (!entry.TakesValue)
            {
                entry.Apply(builder);
            }
            else if (i + 1 < tokens.Count && tokens[i + 1].Type == TokenType.Argument)
            {
                Apply(builder, entry, token.Value, tokens[++i].Value);
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

    private static void Apply(CommandLineBuilder builder, OptionEntry entry, string name, string value)
    {
        // Else -f --dry-run would log to a file of that name, and close.
        if (OptionTable.IsOption(value))
        {
            throw new UsageException(name, value, "that is an option, and the value before it is missing");
        }

        entry.Apply(builder, name, value);
    }

    private static UsageException NoOption(string word, bool optionsEnded) => word.StartsWith('-') && !optionsEnded
        ? new UsageException("unknown option", word, Suggestion.For(word) ?? "there is none of that name, and names are not abbreviated")
        : new UsageException("stray argument", word, "every value belongs to an option, as in -s 22");

    /// <summary>
    /// The command line cut into options and values. Which value belongs to which option is read off the order of the tokens:
    /// so the last of two counts, there is no limit on how many there are, and the first error is the one that is told.
    /// </summary>
    private static IReadOnlyList<Token> Tokenize(string[] args)
    {
        var command = new Command("tcp-closer");
        foreach (OptionEntry entry in OptionTable.Entries)
        {
            // With a parser of our own that parses nothing: the values are read off the tokens, and the package's converters for
            // every type there is stay out of the binary.
            command.Add(new Option<string>(entry.Names[0], entry.Names[1..])
            {
                Arity = entry.TakesValue ? ArgumentArity.OneOrMore : ArgumentArity.Zero,
                CustomParser = static _ => null,
            });
        }

        // The program's name goes first because the parser takes it away where it finds it, also from a user who typed it.
        return command.Parse([command.Name, .. args], new ParserConfiguration { ResponseFileTokenReplacer = null }).Tokens;
    }

    /// <summary>
    /// The parser takes forms that getopt_long does not: <c>-s=22</c> (there the value is <c>=22</c>), <c>--sport:22</c>, and
    /// <c>--verbose=</c>. Who writes them means something else than the C tool did, so they are refused, and so is a word in
    /// bytes that are no text.
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
            throw new UsageException(arg[..end], arg[end..], "takes no value");
        }

        if (entry is not null && arg[end] == ':')
        {
            throw new UsageException("unknown option", arg, "a value follows after '=' or as the next word");
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
                    ? $"the value follows at once or as the next word, without '{arg[i + 1]}'"
                    : "takes no value");
            }

            if (entry.TakesValue)
            {
                return;
            }
        }
    }
}
