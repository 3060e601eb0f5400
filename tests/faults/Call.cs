namespace TcpCloser.Faults;

/// <summary>A system call that the program itself made.</summary>
/// <param name="Name">The name in strace and in the kernel.</param>
/// <param name="Occurrence">Its number among the calls of this name in the thread, counted from 1 at the start of the process.</param>
/// <param name="Text">The arguments and the result, as strace showed them.</param>
internal sealed partial record Call(string Name, int Occurrence, string Text)
{
    private const int KeyLength = 160;

    /// <summary>Equal for calls that do the same to the same kind of object: without numbers and data.</summary>
    internal string Kind { get; } = Shorten(Name, Text);

    private static string Shorten(string name, string text)
    {
        bool namesPath = name.Contains("open") || name.Contains("stat")
            || name.Contains("link") || name is "connect" or "bind" or "rename" or "access" or "faccessat2";
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
