using TcpCloser.Rules;

namespace TcpCloser.Cli;

/// <summary>Invalid usage: one line that names the option, the value and what would be valid. Exit status 2.</summary>
internal sealed class UsageException : Exception
{
    /// <summary>The number of characters of a value that are shown, which keeps the message readable.</summary>
    private const int MaxShown = 60;

    public UsageException(string message) : base(message)
    {
    }

    /// <summary>
    /// Option and value come from outside, so they are escaped (they must not forge a line or control a terminal) and cut if they
    /// are long.
    /// </summary>
    public UsageException(string option, string value, string wanted) : base($"{Show(option)} '{Show(value)}': {wanted}")
    {
    }

    /// <summary>
    /// The error for one item of a list. The item is shown without the list, which may have thousands; an empty item is shown by its
    /// list.
    /// </summary>
    public static UsageException OfItem(string option, ReadOnlySpan<char> item, string list, string wanted) =>
        item.IsEmpty && list.Length > 0
            ? new UsageException(option, list, "an item of the list is empty; " + wanted)
            : new UsageException(option, item.ToString(), wanted);

    /// <summary>Escapes text from outside and cuts it if it is long.</summary>
    public static string Show(string text)
    {
        if (text.Length <= MaxShown)
        {
            return Escape.Text(text);
        }

        int end = char.IsHighSurrogate(text[MaxShown - 1]) ? MaxShown - 1 : MaxShown;
        return Escape.Text(text[..end]) + "...";
    }
}
