namespace TcpCloser.Generate;

/// <summary>The files below packaging/ that are made of the option table.</summary>
internal static class GeneratedFiles
{
    /// <summary>Their paths, and what is to be in them.</summary>
    /// <param name="packaging">The folder packaging/.</param>
    public static IEnumerable<(string Path, string Text)> In(string packaging)
    {
        yield return (Path.Combine(packaging, "tcp-closer.8"), ManPage.Text(File.ReadAllText(Path.Combine(packaging, "tcp-closer.8.in"))));
        yield return (Path.Combine(packaging, "completions/tcp-closer.bash"), BashCompletion.Text());
        yield return (Path.Combine(packaging, "completions/_tcp-closer"), ZshCompletion.Text());
        yield return (Path.Combine(packaging, "completions/tcp-closer.fish"), FishCompletion.Text());
    }
}
