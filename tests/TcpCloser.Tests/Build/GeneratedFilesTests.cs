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
        int words = 0;
        foreach (OptionEntry entry in OptionTable.Entries.Where(static entry => entry.TakesValue))
        {
            OptionValue value = OptionValue.Of(entry);
            if (value.Kind is ValueKind.Word or ValueKind.WordList)
            {
                foreach (string word in value.Text.Split(' '))
                {
                    entry.Apply(new CommandLineBuilder(), entry.Names[0], word);
                    words++;
                }
            }
        }

        Assert.True(words > 50);
    }

    private static string SourceDirectory([CallerFilePath] string path = "") => Path.GetDirectoryName(path)!;
}
