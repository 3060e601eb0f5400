using System.Runtime.CompilerServices;
using TcpCloser.Cli;

namespace TcpCloser.Tests.Report;

/// <summary>The output of <c>--help</c> and <c>--version</c>, and the messages for invalid command lines.</summary>
public sealed class HelpTests
{
    [Fact]
    public void Help_Text_MatchesSnapshot() => Snap.Match(Text("--help"));

    [Fact]
    public void Help_EachLine_HasAtMost80PrintableCharacters() => Assert.All(Text("-h").Split('\n'), static line =>
    {
        Assert.InRange(line.Length, 0, 80);
        Assert.DoesNotContain(line, static c => c is < ' ' or > '~');
        Assert.Equal(line.TrimEnd(), line);
    });

    [Fact]
    public void Help_OptionsNamed_AreThoseOfTheTable() =>
        Assert.Equal(OptionTable.Entries.SelectMany(static entry => entry.Names).Order(StringComparer.Ordinal), OptionsIn(Text("-h")).Order(StringComparer.Ordinal));

    [Fact]
    public void OptionTable_EachWord_IsAccepted()
    {
        OptionEntry method = Assert.IsType<OptionEntry>(OptionTable.Find("--method"));
        Assert.Equal(Enum.GetValues<Method>().Select(MethodName.Of).Order(), method.Words.Select(static word => word.Word).Order());
        Assert.All(OptionTable.Entries, static entry => Assert.All(entry.Words, word => entry.Apply(new CommandLineBuilder(), entry.Names[0], word.Word)));
    }

    /// <summary>Compares both ways, every spelling. The first column of README.md has the options, with placeholders, in backticks.</summary>
    [Fact]
    public void Readme_OptionTable_HasTheSameNames()
    {
        string[] lines = File.ReadAllLines(Path.Combine(SourceDirectory(), "../../../README.md"));
        int first = Array.IndexOf(lines, "| option | meaning |");
        Assert.True(first > 0);
        HashSet<string> names = [.. lines.Skip(first + 2).TakeWhile(static line => line.StartsWith('|'))
            .SelectMany(static line => OptionsIn(line[..line.Replace("\\|", "  ", StringComparison.Ordinal).IndexOf('|', 1)]))];
        Assert.Equal(OptionTable.Entries.SelectMany(static entry => entry.Names).Order(StringComparer.Ordinal), names.Order(StringComparer.Ordinal));
    }

    [Fact]
    public void Version_Text_IsOneLine() =>
        Assert.Matches(@"^tcp-closer \d+\.\d+\.\d+(-[0-9A-Za-z.-]+)?(\+[0-9A-Za-z.-]+)?( \(NO_SOCK_DESTROY\))?\n\z", Text("--version"));

    [Fact]
    public void UsageErrors_Messages_MatchSnapshot() => Snap.Match(string.Join('\n', new string[][]
    {
        [], ["-4"], ["--group-by", "color"], ["--group-by", "port", "-i", "5"], ["-s22", "-q", "-v"], ["-s22", "--name", ""], ["--dst", "10.0.0.1:5432"],
        ["--src", "[fd00::1]:22"], ["-s", "10.0.0.1:22"], ["-s", "0"], ["-s", "22x"], ["-s", "65558"], ["-s", "90-80"], ["-s", ""], ["--sport", "22,,80"], ["-s"], ["-t", "-5"],
        ["-s22", "-t", "1.2.3"], ["-s22", "-t", "50d"], ["-s22", "--last-recv-limit", "5y"], ["-s22", "-t", "60", "--last-recv-limit", "50"],
        ["-s22", "-i", "abc"], ["-s22", "-i", "0"], ["-s22", "-i", "4000d"], ["-s22", "-f", ""], ["-s22", "--state", "up"],
        ["-s22", "--signal", "TERM"], ["-s22", "--use-proc", "--signal", "NOPE"], ["--nope"], ["-s22", "-x"], ["stray"], ["-s22", "--", "-v"],
        ["@file"], ["[x]"], ["-s=22"], ["--sport:22"], ["tcp-closer"], ["-s", "2\n2"], ["-s22", "--\u001b[31m\"red\""], ["-s22", "\ufffd"],
        ["--src", "10.0.0.0/33"], ["--dst", "host"], ["--src", "10.0.0.1", "--dst", "fd00::1"], ["-4", "--src", "fd00::1"], ["--uid", "no such user"],
        ["--pid", "0"], ["--comm", "a name that is too long"], ["--interface", "a/b"], ["--mark", "x"], ["--mark", "0x100/0xff"], ["--cgroup", ""], ["--cgroup", "/proc"], ["--not-cgroup", "a/b"], ["--pod", "web"], ["--not-cgroup", "a.service"],
        ["-s22", "--netns", "pid:x"], ["-s22", "--idle-by", "age"], ["-s22", "--method", "magic"], ["-s22", "--grace", "5s"], ["-s22", "--max", "-1"],
        ["-s22", "--limit", "x"], ["-s22", "--keep", "0/peer"], ["-s22", "--keep", "2/color"], ["-s22", "--keep", "2"], ["-s22", "--matched-for", "1m"],
        ["-s22", "--limit", "1", "--method", "keepalive"], ["--group-by", "port", "--keep", "2/peer"], ["--not-uid", "0"],
        ["--state", "close-wait"], ["-s22", "--idletime", "5"], ["-s22", "--idle"], ["-s22", "-f", "--dry-run"], ["--comm", "-n"], ["--comm", "a,,b"],
        ["--netns", "2147483647", "-s22"], ["-s22", "--not-src", "fd00::1"], ["-s", string.Join(',', Enumerable.Range(1, 30)) + ",x"],
        ["-s", new string('9', 100)],
        ["-s22", "--method", "keepalive", "--user-timeout", "30"], ["-s22", "--method", "keepalive", "--user-timeout", "30s"],
        ["-s22", "--method", "keepalive", "--keepalive", "60"], ["-s22", "--state", "establised"], ["-s22", "--state", "closewait,fin-wait"],
        ["-p", "22"], ["-p22"], ["-m"], ["-o"], ["-tanp"], ["-tn"], ["-s", ":5432"], ["--dport", ":ssh"], ["-s22", "-t", "1h30m"], ["-s22", "-t", "2hr"],
        ["-s22", "-i", "5min"], ["-s22", "--use-proc", "--grace", "25h"], ["--dst", "10.0.0.0/255.0.0.0"], ["--not-src", "fd00::/129"],
    }.Select(static words => string.Join(' ', words.Select(static word => Escape.Text(word))) + "\n    " + Words.Refused(words)))
        .Replace("; reading /etc/services: ENOENT (no such file or object)", "", StringComparison.Ordinal));

    private static string Text(string option)
    {
        Assert.Null(CommandLine.Parse([option], out string? text));
        return Assert.IsType<string>(text);
    }

    /// <summary>The options that a text names: words that begin with a dash and a letter, a digit or another dash.</summary>
    private static HashSet<string> OptionsIn(string text) =>
        [.. text.Split([.. " \n,.;:|[]()`"], StringSplitOptions.RemoveEmptyEntries)
            .Where(static word => word.Length > 1 && word[0] == '-' && (word[1] == '-' || char.IsAsciiLetterOrDigit(word[1])))];

    private static string SourceDirectory([CallerFilePath] string path = "") => Path.GetDirectoryName(path)!;
}
