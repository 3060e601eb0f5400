namespace TcpCloser.Cli;

/// <summary>A command line that cannot be meant: one line naming the option, the value and what would be right. Exit status 2.</summary>
internal sealed class UsageException : Exception
{
    /// <summary>More of a value than this is not shown: the line is to be read.</summary>
    private const int Shown = 60;

    public UsageException(string message) : base(message)
    {
    }

    /// <summary>
    /// Option and value came from outside: they are escaped here, so that they cannot forge a line or drive a terminal, and cut
    /// where they are long.
    /// </summary>
    public UsageException(string option, string value, string wanted) : base($"{Show(option)} '{Show(value)}': {wanted}")
    {
    }

    /// <summary>A wrong item of a list. It is shown without the list, which may have thousands; an empty one is shown by its list.</summary>
    public static UsageException OfItem(string option, ReadOnlySpan<char> item, string list, string wanted) =>
        item.IsEmpty && list.Length > 0
            ? new UsageException(option, list, "a comma has nothing before or behind it; " + wanted)
            : new UsageException(option, item.ToString(), wanted);

    private static string Show(string text)
    {
        if (text.Length <= Shown)
        {
            return Escape.Text(text);
        }

        int end = char.IsHighSurrogate(text[Shown - 1]) ? Shown - 1 : Shown;
        return Escape.Text(text[..end]) + "...";
    }
}
