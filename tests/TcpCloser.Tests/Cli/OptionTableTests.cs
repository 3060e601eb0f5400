using TcpCloser.Cli;

namespace TcpCloser.Tests.Cli;

/// <summary>The option table, from which the parser, the help and the suggestions are built.</summary>
public sealed class OptionTableTests
{
    [Fact]
    public void Names_AllOptions_AreDistinctAndWellFormed()
    {
        string[] names = [.. OptionTable.Entries.SelectMany(static entry => entry.Names)];
        Assert.Distinct(names);
        Assert.All(names, static name => Assert.Matches("^(-[A-Za-z0-9]|--[a-z][a-z_-]+)$", name));
        Assert.All(names, static name => Assert.Contains(name, OptionTable.Find(name)!.Names));
    }

    [Fact]
    public void Parse_EachName_IsAccepted()
    {
        foreach ((OptionEntry entry, string name) in OptionTable.Entries.SelectMany(static entry => entry.Names.Select(name => (entry, name))))
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

    [Theory]
    [Values("--dry-run", "-n", "-s", "-vn", "-vs", "-s22", "-vnsh", "--idle_time", "--sport=22", "--logfile=")]
    public void IsOption_OptionInAnyForm_IsTrue(string word) => Assert.True(OptionTable.IsOption(word));

    [Theory]
    [Values("", "-", "n", "-x", "-vx", "-4x", "--dry", "---dry-run", "./--dry-run")]
    public void IsOption_OtherWord_IsFalse(string word) => Assert.False(OptionTable.IsOption(word));

    [Theory]
    [Rows("-f --dry-run", "-f -n", "-f -vn", "-f-n", "--logfile --dry-run", "--logfile --dry-run --logfile=--dry-run", "--comm -n",
        "--comm -s22", "--cgroup --json", "--netns --all-netns", "--interface -v", "-t -v", "--signal --use_proc --use-proc")]
    public void Value_IsAnOption_IsRefused(params string[] words)
    {
        Assert.Contains("': this is an option, so -", Words.Refused(["-s", "22", .. words]), StringComparison.Ordinal);
        Words.Refused([.. words, "-s", "22"]);
    }

    [Theory]
    [InlineData("-f", "--dry-run", "-f '--dry-run': this is an option, so -f has no value; if it is the value, write --logfile=--dry-run")]
    [InlineData("--comm", "-n", "--comm '-n': this is an option, so --comm has no value; if it is the value, write --comm=-n")]
    public void Value_IsAnOption_MessageShowsTheEqualsForm(string option, string value, string message) =>
        Assert.Equal(message, Words.Refused("-s", "22", option, value));

    [Fact]
    public void Value_IsAnOptionAfterEqualsSign_IsAccepted()
    {
        (Rule rule, RunOptions run) = Words.Parse("-s", "22", "--name=-v", "--logfile=--dry-run", "--comm=-n", "--netns=--json");
        Assert.Equal(("-v", "--dry-run"), (rule.Name, run.LogFile));
        Assert.Equal(["-n"], rule.Comms);
        Assert.Equal(["--json"], rule.Netns);
        Assert.False(run.DryRun || run.Verbose || run.Json);
    }

    [Fact]
    public void Value_IsAnOptionWithItsValue_CountsAsMissing() =>
        Assert.Equal("-f: a value is missing", Words.Refused("-s", "22", "-f", "--state=all"));

    [Theory]
    [Values("--dry-run/log", "./--dry-run", "-", "--idle", "-x")]
    public void LogFile_ResemblesAnOption_IsAccepted(string path) => Assert.Equal(path, Words.Run("-s", "22", "-f", path).LogFile);
}
