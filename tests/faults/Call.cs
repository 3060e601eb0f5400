using System.Text.RegularExpressions;

namespace TcpCloser.Faults;

/// <summary>A system call that the program made itself.</summary>
/// <param name="Name">The call's name, as strace and the kernel spell it.</param>
/// <param name="Occurrence">The how manieth of that name it was in the thread, counted from the process's beginning.</param>
/// <param name="Text">Its arguments as strace showed them.</param>
internal sealed partial record Call(string Name, int Occurrence, string Text)
{
    private const int KeyLength = 160;

    /// <summary>The same for calls that do the same to the same kind of thing: without numbers, and without what is only data.</summary>
    internal string Kind { get; } = Shorten(Name, Text);

    private static string Shorten(string name, string text)
    {
        bool namesPath = name.Contains("open", StringComparison.Ordinal) || name.Contains("stat", StringComparison.Ordinal)
            || name.Contains("link", StringComparison.Ordinal) || name is "connect" or "bind" or "rename" or "access" or "faccessat2";
        string kept = namesPath ? text : Quoted().Replace(text, "\"\"");
        int end = kept.LastIndexOf(") = ", StringComparison.Ordinal);
        kept = Numbers().Replace(end >= 0 ? kept[..end] : kept, "N");
        return name + "(" + (kept.Length > KeyLength ? kept[..KeyLength] : kept);
    }

    [GeneratedRegex("\"(\\\\.|[^\"\\\\])*\"(\\.\\.\\.)?")]
    private static partial Regex Quoted();

    [GeneratedRegex("-?(0x[0-9a-f]+|[0-9]+)")]
    private static partial Regex Numbers();
}
