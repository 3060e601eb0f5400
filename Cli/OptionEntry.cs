namespace TcpCloser.Cli;

/// <summary>All that is known of one option: its names, what it is for, and what it does.</summary>
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
    /// <param name="group">Where it stands in the help.</param>
    /// <param name="names">Its names, a short one first.</param>
    /// <param name="placeholder">What stands for the value in the help.</param>
    /// <param name="help">What it is for.</param>
    /// <param name="apply">Checks the value and puts it into the builder; is given the option's name as it was typed, and the value.</param>
    public OptionEntry(OptionGroup group, string[] names, string placeholder, string help, Action<CommandLineBuilder, string, string> apply)
    {
        Group = group;
        Names = names;
        Placeholder = placeholder;
        Help = help;
        _applyValue = apply;
    }

    public OptionGroup Group { get; }

    /// <summary>All of its names with their dashes: a short one first, then the long one, then its other spellings.</summary>
    public string[] Names { get; }

    /// <summary>What stands for the value in the help; null: it takes none.</summary>
    public string? Placeholder { get; }

    public string Help { get; }

    /// <summary>The words it takes, where the help explains each; else empty.</summary>
    public OptionWord[] Words { get; init; } = [];

    public bool TakesValue => _applyValue is not null;

    /// <summary>Does what the option without a value is for.</summary>
    public void Apply(CommandLineBuilder builder) => _applyFlag!(builder);

    /// <summary>Checks the value and does what the option is for.</summary>
    /// <exception cref="UsageException">The value cannot be meant.</exception>
    public void Apply(CommandLineBuilder builder, string name, string value) => _applyValue!(builder, name, value);
}
