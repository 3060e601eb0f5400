using TcpCloser.Cli;

namespace TcpCloser.Tests.Cli;

/// <summary>Suggestions for an unknown option.</summary>
public sealed class SuggestionTests
{
    [Theory]
    [Rows("--idletime | --idle-time", "--idle-tiem | --idle-time", "--idle_tim | --idle-time", "--idle-time- | --idle-time",
        "--Idle-Time=5 | --idle-time", "--idletime:5 | --idle-time", "--idle | --idle-time or --idle-by", "--spotr | --sport",
        "--SPORT | --sport", "--ports | --sport or --dport", "--notsrc | --not-src", "--nto-dst | --not-dst", "--no-ack | --no-ack-for",
        "--dryrun | --dry-run", "--useproc | --use-proc", "--disable-sylsog | --disable-syslog", "--last-recieve-limit | --last-recv-limit",
        "--hlep | --help", "--vers | --version", "--user | --uid", "--user=www-data | --uid", "--username | --uid",
        "--process | --pid or --comm", "--command | --comm", "--net | --netns")]
    public void Suggestion_SimilarWord_NamesTheOptions(string typed, string names)
    {
        Assert.Equal($"did you mean {names}?", Suggestion.ForOption(typed));
        Assert.EndsWith($": did you mean {names}?", Words.Refused("-s", "22", typed), StringComparison.Ordinal);
    }

    [Theory]
    [Values("--nope", "--s", "--", "---", "--n=1", "--completely-different", "--=5", "-x", "-idle-time", "sport")]
    public void Suggestion_NothingSimilar_IsNull(string typed) => Assert.Null(Suggestion.ForOption(typed));

    [Fact]
    public void Suggestion_100000Characters_IsNull() => Assert.Null(Suggestion.ForOption("--" + new string('s', 100_000)));

    /// <summary>With one letter wrong, missing or added, a long name is still found, unless the word abbreviates another name.</summary>
    [Fact]
    public void Suggestion_OneLetterWrong_NamesTheOption()
    {
        string[] names = [.. OptionTable.Entries.SelectMany(static entry => entry.Names).Where(static name => name.StartsWith("--", StringComparison.Ordinal))];
        foreach (string name in names)
        {
            string option = OptionTable.Find(name)!.Names.First(static name => name.StartsWith("--", StringComparison.Ordinal));
            for (int i = 2; i < name.Length; i++)
            {
                foreach (string typed in (string[])[name.Remove(i, 1), name.Insert(i, "q"), name.Remove(i, 1).Insert(i, "q")])
                {
                    if (!Array.Exists(names, other => other.StartsWith(typed, StringComparison.Ordinal)))
                    {
                        Assert.Contains(option, Suggestion.ForOption(typed), StringComparison.Ordinal);
                    }
                }
            }
        }
    }
}
