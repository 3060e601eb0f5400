namespace TcpCloser.Generate;

/// <summary>The files that are generated from the option table: those in packaging/, and the README's table.</summary>
internal static class GeneratedFiles
{
    /// <summary>Their paths and contents.</summary>
    /// <param name="packaging">The path of packaging/.</param>
    public static IEnumerable<(string Path, string Text)> In(string packaging)
    {
        yield return (Path.Combine(packaging, "tcp-closer.8"), ManPage.Text(File.ReadAllText(Path.Combine(packaging, "tcp-closer.8.in"))));
        yield return (Path.Combine(packaging, "completions/tcp-closer.bash"), BashCompletion.Text());
        yield return (Path.Combine(packaging, "completions/_tcp-closer"), ZshCompletion.Text());
        yield return (Path.Combine(packaging, "completions/tcp-closer.fish"), FishCompletion.Text());
        string readme = Path.Combine(packaging, "../README.md");
        yield return (readme, ReadmeTable.Text(File.ReadAllText(readme)));
    }
}
