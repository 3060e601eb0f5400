using TcpCloser.Cli;
using TcpCloser.Tests.Support;

namespace TcpCloser.Tests.Cli;

/// <summary>What a word that is no option may have been meant for.</summary>
public sealed class SuggestionTests
{
    [Theory]
    [InlineData("--idletime", "--idle-time")]
    [InlineData("--idle-tiem", "--idle-time")]
    [InlineData("--idle_tim", "--idle-time")]
    [InlineData("--idle-time-", "--idle-time")]
    [InlineData("--Idle-Time=5", "--idle-time")]
    [InlineData("--idletime:5", "--idle-time")]
    [InlineData("--idle", "--idle-time or --idle-by")]
    [InlineData("--spotr", "--sport")]
    [InlineData("--SPORT", "--sport")]
    [InlineData("--ports", "--sport or --dport")]
    [InlineData("--notsrc", "--not-src")]
    [InlineData("--nto-dst", "--not-dst")]
    [InlineData("--no-ack", "--no-ack-for")]
    [InlineData("--dryrun", "--dry-run")]
    [InlineData("--useproc", "--use-proc")]
    [InlineData("--disable-sylsog", "--disable-syslog")]
    [InlineData("--last-recieve-limit", "--last-recv-limit")]
    [InlineData("--hlep", "--help")]
    [InlineData("--vers", "--version")]
    public void Nearest(string typed, string names)
    {
        Assert.Equal($"did you mean {names}?", Suggestion.For(typed));
        Assert.EndsWith($": did you mean {names}?", Words.Refused("-s", "22", typed), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("--nope")]
    [InlineData("--s")]
    [InlineData("--")]
    [InlineData("---")]
    [InlineData("--n=1")]
    [InlineData("--completely-different")]
    [InlineData("--=5")]
    [InlineData("-x")]
    [InlineData("-idle-time")]
    [InlineData("sport")]
    public void NothingNear(string typed) => Assert.Null(Suggestion.For(typed));

    [Fact]
    public void ALongWordIsNotMeasured() => Assert.Null(Suggestion.For("--" + new string('s', 100_000)));

    /// <summary>One letter wrong, missing or too many, anywhere in any long name, and it is still found, unless that abbreviates another.</summary>
    [Fact]
    public void EveryNameWithOneMistake()
    {
        string[] names = [.. OptionTable.Entries.SelectMany(static entry => entry.Names).Where(static name => name.StartsWith("--", StringComparison.Ordinal))];
        foreach (string name in names)
        {
            string meant = OptionTable.Find(name)!.Names.First(static name => name.StartsWith("--", StringComparison.Ordinal));
            for (int i = 2; i < name.Length; i++)
            {
                foreach (string typed in (string[])[name.Remove(i, 1), name.Insert(i, "q"), name.Remove(i, 1).Insert(i, "q")])
                {
                    if (!Array.Exists(names, other => other.StartsWith(typed, StringComparison.Ordinal)))
                    {
                        Assert.Contains(meant, Suggestion.For(typed), StringComparison.Ordinal);
                    }
                }
            }
        }
    }
}
