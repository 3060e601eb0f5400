namespace TcpCloser.Matrix;

/// <summary>The defects that a row found; empty if it passed.</summary>
internal sealed partial class Findings
{
    private readonly List<string> _texts = [];

    internal void Add(string text) => AddIf(true, text);

    internal void AddIf(bool isWrong, string text)
    {
        if (isWrong && !_texts.Contains(text))
        {
            _texts.Add(text);
        }
    }

    /// <summary>The texts, with those that differ only in the connection combined.</summary>
    internal List<string> Grouped() => [.. _texts
        .GroupBy(static text => Ends().Replace(text, "*"))
        .Select(static alike => alike.Count() == 1 ? alike.First() : $"{alike.First()} (and {alike.Count() - 1} more)")];

    [GeneratedRegex(@"\S+:\d+ -> \S+")]
    private static partial Regex Ends();
}
