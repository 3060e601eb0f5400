namespace TcpCloser.Cli;

/// <summary>One option: its names, its help and its effect.</summary>
internal sealed class OptionEntry
{
    private readonly Action<CommandLineBuilder>? _applyFlag;
    private readonly Action<CommandLineBuilder, string, string>? _applyValue;

    /// <summary>An option without a value.</summary>
    public OptionEntry(OptionGroup group, string[] names, string help, Action<CommandLineBuilder> apply)
    {
        Group = group;
        Names = names;
        Help = help;
        _applyFlag = apply;
    }

    /// <summary>An option that takes one value each time it is given.</summary>
    /// <param name="names">All names, a short one first.</param>
    /// <param name="apply">Validates the value and stores it in the builder. Its arguments are the builder, the option's name as typed, and the value.</param>
    public OptionEntry(OptionGroup group, string[] names, string placeholder, string help, Action<CommandLineBuilder, string, string> apply)
    {
        Group = group;
        Names = names;
        Placeholder = placeholder;
        Help = help;
        _applyValue = apply;
    }

    public OptionGroup Group { get; }

    /// <summary>All names with their dashes: a short one first, then the long one, then its other spellings.</summary>
    public string[] Names { get; }

    /// <summary>The long name; null: there is only a short one. Every option with a value has a long name.</summary>
    public string? LongName => Array.Find(Names, static name => name.StartsWith("--", StringComparison.Ordinal));

    /// <summary>The word for the value in the help; null: the option takes no value.</summary>
    public string? Placeholder { get; }

    /// <summary>The line for <c>--help</c>, in the imperative or as a noun phrase.</summary>
    public string Help { get; }

    /// <summary>
    /// The text for the man page, in the markup of packaging/generate/ManPage.cs: paragraphs that say what the option does, what it needs
    /// and how it fails; examples are indented. The program itself does not contain it: it would be 40 KB and ten page faults of a start.
    /// </summary>
#if MANUAL
    public string Manual { get; init; } = "";
#else
    [System.Diagnostics.CodeAnalysis.SuppressMessage("Performance", "CA1822", Justification = "Here, it stores nothing.")]
    public string Manual { init { } }
#endif

    /// <summary>The words that the option accepts, if the help explains each; otherwise empty.</summary>
    public OptionWord[] Words { get; init; } = [];

    public bool TakesValue => _applyValue is not null;

    /// <summary>Applies an option without a value.</summary>
    public void Apply(CommandLineBuilder builder) => _applyFlag!(builder);

    /// <summary>Validates the value and applies the option.</summary>
    /// <exception cref="UsageException">The value is invalid.</exception>
    public void Apply(CommandLineBuilder builder, string name, string value) => _applyValue!(builder, name, value);
}

/// <summary>One of the words that an option accepts as its value, with its help.</summary>
internal sealed class OptionWord(string word, string help)
{
    public string Word { get; } = word;

    public string Help { get; } = help;
}

/// <summary>The groups of <c>--help</c> and the man page, in their order.</summary>
internal enum OptionGroup
{
    Looking,
    Idle,
    Selecting,
    Closing,
    Output,
}
