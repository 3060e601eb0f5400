namespace TcpCloser.Cli;

/// <summary>One of the words that an option takes as its value, and what it means.</summary>
internal sealed class OptionWord(string word, string help)
{
    public string Word { get; } = word;

    public string Help { get; } = help;
}
