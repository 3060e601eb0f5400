namespace TcpCloser.Generate;

/// <summary>How a shell finds out what an option's value may be.</summary>
internal enum ValueKind
{
    /// <summary>It cannot: a time, a number, an address.</summary>
    Free,

    /// <summary>One of a few words.</summary>
    Word,

    /// <summary>Several of a few words, with commas.</summary>
    WordList,

    /// <summary>A line of what a command prints.</summary>
    Line,

    /// <summary>Several of those lines, with commas.</summary>
    LineList,

    /// <summary>A file.</summary>
    File,

    /// <summary>A folder.</summary>
    Folder,
}
