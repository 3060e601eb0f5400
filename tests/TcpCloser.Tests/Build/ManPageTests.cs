using System.Runtime.CompilerServices;
using System.Text;
using System.Text.RegularExpressions;
using TcpCloser.Cli;

namespace TcpCloser.Tests.Build;

/// <summary>The man page explains every option, outcome and record, and its examples are valid command lines.</summary>
public sealed partial class ManPageTests
{
    /// <summary>Values that the parser would look up on this machine.</summary>
    private static readonly string[] s_machineDependent = ["--only", "--cgroup"];

    private static readonly string s_page = File.ReadAllText(Path.Combine(SourceDirectory(), "../../../packaging/tcp-closer.8"))
        .Replace("\\-", "-", StringComparison.Ordinal).Replace("\\(aq", "'", StringComparison.Ordinal);

    [Fact]
    public void Option_EachEntry_HasALongText() => Assert.All(OptionTable.Entries, static entry =>
    {
        Assert.NotEqual("", entry.Manual);
        Assert.Matches("[.:]$", entry.Manual.Split("\n\n").Last(static paragraph => !paragraph.StartsWith(' ')));
    });

    [Fact]
    public void Option_EachNameInALongText_Exists() => Assert.All(
        OptionTable.Entries.SelectMany(static entry => LongOption().Matches(entry.Manual)).Where(static match => match.Value is not ("--not-" or "--host")),
        static match => Assert.NotNull(OptionTable.Find(match.Value)));

    [Fact]
    public void Page_EachOutcome_IsNamed() => Assert.All(Enum.GetValues<Outcome>(), static outcome =>
        Assert.Matches($@"(?m)^\.B .*\b{Encoding.ASCII.GetString(OutcomeInfo.Of(outcome).Name)}\b", s_page));

    [Fact]
    public void Page_EachFieldOfARecord_IsNamed() => Assert.All(JsonRecords.Tables.SelectMany(static table => table.Fields), static field =>
        Assert.Contains($"\\fB{field}\\fP", s_page, StringComparison.Ordinal));

    [Fact]
    public void Page_EachExample_IsAccepted()
    {
        string[] commands = [.. Commands(s_page)];
        Assert.True(commands.Length > 40);
        Assert.All(commands, static command => CommandLine.Parse(command.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1..], out _));
    }

    /// <summary>Each example that closes something follows a dry run of the same rule.</summary>
    [Fact]
    public void Page_EachExampleThatCloses_FollowsItsDryRun()
    {
        string[] commands = [.. Commands(s_page[s_page.IndexOf(".SH EXAMPLES", StringComparison.Ordinal)..])];
        for (int i = 0; i < commands.Length; i++)
        {
            if (!commands[i].Contains(" -n ", StringComparison.Ordinal) && !commands[i].Contains("--group-by", StringComparison.Ordinal))
            {
                Assert.StartsWith("tcp-closer -n ", commands[i - 1], StringComparison.Ordinal);
            }
        }
    }

    /// <summary>The commands in the examples, without those that a shell or this machine would have to complete.</summary>
    private static IEnumerable<string> Commands(string page)
    {
        foreach (System.Text.RegularExpressions.Match example in Example().Matches(page))
        {
            foreach (string line in example.Groups[1].Value.Replace("\\e\n", "", StringComparison.Ordinal).Split('\n'))
            {
                string command = line.Split(['>', '|'])[0];
                if (command.StartsWith("tcp-closer ", StringComparison.Ordinal) && !command.Contains("$(", StringComparison.Ordinal)
                    && !command.Contains('\'') && !Array.Exists(s_machineDependent, command.Contains))
                {
                    yield return command;
                }
            }
        }
    }

    private static string SourceDirectory([CallerFilePath] string path = "") => Path.GetDirectoryName(path)!;

    [GeneratedRegex(@"\.EX\n(.*?)\n\.EE", RegexOptions.Singleline)]
    private static partial Regex Example();

    [GeneratedRegex(@"(?<![\w-])--[a-z][\w-]*")]
    private static partial Regex LongOption();
}
