using System.Runtime.CompilerServices;
using TcpCloser.Cli;
using TcpCloser.Generate;

namespace TcpCloser.Tests.Build;

/// <summary>The man page and the completions are made of the option table, and are those of the program as it is.</summary>
public sealed class GeneratedFilesTests
{
    [Fact]
    public void TheyAreAsTheyWouldBeMadeNow()
    {
        (string Path, string Text)[] files = [.. GeneratedFiles.In(Path.Combine(Folder(), "../../../packaging"))];
        Assert.Equal(4, files.Length);
        Assert.All(files, static file => Assert.True(
            File.Exists(file.Path) && File.ReadAllText(file.Path) == file.Text,
            $"{Path.GetFileName(file.Path)} is not that of the option table: dotnet run --project packaging/generate packaging"));
    }

    /// <summary>What a shell offers as a value is one, where it is offered from a list of words.</summary>
    [Fact]
    public void EveryWordThatIsOfferedIsTaken()
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

    private static string Folder([CallerFilePath] string path = "") => Path.GetDirectoryName(path)!;
}
