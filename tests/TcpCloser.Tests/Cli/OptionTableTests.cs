using TcpCloser.Cli;
using TcpCloser.Tests.Support;

namespace TcpCloser.Tests.Cli;

/// <summary>The table that the parser, the help and the suggestions come from.</summary>
public sealed class OptionTableTests
{
    [Fact]
    public void NoNameIsGivenTwice()
    {
        string[] names = [.. OptionTable.Entries.SelectMany(static entry => entry.Names)];
        Assert.Distinct(names);
        Assert.All(names, static name => Assert.Matches("^(-[A-Za-z0-9]|--[a-z][a-z_-]+)$", name));
        Assert.All(names, static name => Assert.Contains(name, OptionTable.Find(name)!.Names));
    }

    [Fact]
    public void EachNameIsTaken()
    {
        foreach (OptionEntry entry in OptionTable.Entries)
        {
            foreach (string name in entry.Names)
            {
                if (entry.TakesValue)
                {
                    Assert.Equal($"{name}: a value is missing", Words.Refused("-s22", name));
                }
                else
                {
                    CommandLine.Parse(["-s22", name], out _);
                }
            }
        }
    }

    [Theory]
    [InlineData("--dry-run")]
    [InlineData("-n")]
    [InlineData("-s")]
    [InlineData("-vn")]
    [InlineData("-vs")]
    [InlineData("-s22")]
    [InlineData("-vnsh")]
    [InlineData("--idle_time")]
    [InlineData("--sport=22")]
    [InlineData("--logfile=")]
    public void Options(string word) => Assert.True(OptionTable.IsOption(word));

    [Theory]
    [InlineData("")]
    [InlineData("-")]
    [InlineData("n")]
    [InlineData("-x")]
    [InlineData("-vx")]
    [InlineData("-4x")]
    [InlineData("--dry")]
    [InlineData("---dry-run")]
    [InlineData("./--dry-run")]
    public void NoOptions(string word) => Assert.False(OptionTable.IsOption(word));

    [Theory]
    [InlineData("-f", "--dry-run")]
    [InlineData("-f", "-n")]
    [InlineData("-f", "-vn")]
    [InlineData("--logfile=--state=all")]
    [InlineData("--logfile=--dry-run")]
    [InlineData("--comm", "-n")]
    [InlineData("--comm", "-s22")]
    [InlineData("--cgroup", "--json")]
    [InlineData("--netns", "--all-netns")]
    [InlineData("--netns=-n")]
    [InlineData("--interface", "-v")]
    [InlineData("-t", "-v")]
    [InlineData("--signal", "--use_proc", "--use-proc")]
    public void AValueThatIsAnOption(params string[] words)
    {
        Assert.EndsWith("': that is an option, and the value before it is missing", Words.Refused(["-s", "22", .. words]), StringComparison.Ordinal);
        Words.Refused([.. words, "-s", "22"]);
    }

    [Fact]
    public void AnOptionWithItsValueInPlaceOfAValue() => Assert.Equal("-f: a value is missing", Words.Refused("-s", "22", "-f", "--state=all"));

    [Theory]
    [InlineData("--dry-run/log")]
    [InlineData("./--dry-run")]
    [InlineData("-")]
    [InlineData("--idle")]
    [InlineData("-x")]
    public void AFileThatIsNoOption(string path) => Assert.Equal(path, Words.Run("-s", "22", "-f", path).LogFile);
}
