using System.Runtime.CompilerServices;
using TcpCloser.Cli;
using TcpCloser.Generate;

namespace TcpCloser.Tests.Build;

/// <summary>The man page, the completions and the README's table are generated from the option table, and are up to date.</summary>
public sealed class GeneratedFilesTests
{
    [Fact]
    public void GeneratedFiles_Committed_AreUpToDate()
    {
        (string Path, string Text)[] files = [.. GeneratedFiles.In(Path.Combine(SourceDirectory(), "../../../packaging"))];
        Assert.Equal(5, files.Length);
        Assert.All(files, static file => Assert.True(
            File.Exists(file.Path) && File.ReadAllText(file.Path) == file.Text,
            $"{Path.GetFileName(file.Path)} is out of date: dotnet run --project packaging/generate packaging"));
    }

    /// <summary>The option accepts each value that a completion offers from a list of words.</summary>
    [Fact]
    public void Completion_EachOfferedWord_IsAccepted()
    {
        (OptionEntry Entry, string Word)[] offered =
            [.. OptionTable.Entries.Where(static entry => entry.TakesValue).SelectMany(static entry => Words(OptionValue.Of(entry)).Select(word => (entry, word)))];
        Assert.True(offered.Length > 50);
        Assert.All(offered, static item => item.Entry.Apply(new CommandLineBuilder(), item.Entry.Names[0], item.Word));
    }

    private static string[] Words(OptionValue value) => value.Kind is ValueKind.Word or ValueKind.WordList ? value.Text.Split(' ') : [];

    private static string SourceDirectory([CallerFilePath] string path = "") => Path.GetDirectoryName(path)!;
}
