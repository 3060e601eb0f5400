using TcpCloser.Cli;
using TcpCloser.Tests.Support;

namespace TcpCloser.Tests.Report;

/// <summary>What <c>--help</c>, <c>--version</c> and a wrong command line say.</summary>
public sealed class HelpTests
{
    [Fact]
    public void Help() => Snap.Match(Text("--help"));

    [Fact]
    public void HelpFitsATerminal() => Assert.All(Text("-h").Split('\n'), static line =>
    {
        Assert.InRange(line.Length, 0, 80);
        Assert.DoesNotContain(line, static c => c is < ' ' or > '~');
        Assert.Equal(line.TrimEnd(), line);
    });

    [Fact]
    public void EveryOptionInTheHelpIsOne()
    {
        foreach (string word in Text("-h").Split((char[])[' ', '\n', ',', '.', ';', '|', '[', ']', '(', ')'], StringSplitOptions.RemoveEmptyEntries))
        {
            if (word.StartsWith("--", StringComparison.Ordinal) && word is not ("--help" or "--version"))
            {
                string refused = Words.Refused(word, "-s", "0");
                Assert.DoesNotContain("unknown option", refused, StringComparison.Ordinal);
            }
        }
    }

    [Fact]
    public void VersionIsOneLine() =>
        Assert.Matches(@"^tcp-closer \d+\.\d+\.\d+(-[0-9A-Za-z.-]+)?( \(NO_SOCK_DESTROY\))?\n\z", Text("--version"));

    [Fact]
    public void UsageErrors() => Snap.Match(string.Join('\n', new string[][]
    {
        [], ["-4"], ["-s", "0"], ["-s", "22x"], ["-s", "65558"], ["-s", "90-80"], ["-s", ""], ["--sport", "22,,80"], ["-s"], ["-t", "-5"],
        ["-s22", "-t", "1.2.3"], ["-s22", "-t", "50d"], ["-s22", "--last-recv-limit", "5y"], ["-s22", "-t", "60", "--last-recv-limit", "50"],
        ["-s22", "-i", "abc"], ["-s22", "-i", "0"], ["-s22", "-i", "4000d"], ["-s22", "-f", ""], ["-s22", "--state", "up"],
        ["-s22", "--signal", "TERM"], ["-s22", "--use-proc", "--signal", "NOPE"], ["--nope"], ["-s22", "-x"], ["stray"], ["-s22", "--", "-v"],
        ["@file"], ["[x]"], ["-s=22"], ["--sport:22"], ["tcp-closer"], ["-s", "2\n2"], ["-s22", "--\u001b[31m\"red\""], ["-s22", "\ufffd"],
        ["--src", "10.0.0.0/33"], ["--dst", "host"], ["--src", "10.0.0.1", "--dst", "fd00::1"], ["-4", "--src", "fd00::1"], ["--uid", "no such user"],
        ["--pid", "0"], ["--comm", "a name that is too long"], ["--interface", "a/b"], ["--mark", "x"], ["--mark", "0x100/0xff"], ["--cgroup", ""],
        ["-s22", "--netns", "pid:x"], ["-s22", "--idle-by", "age"], ["-s22", "--method", "magic"], ["-s22", "--grace", "5s"], ["-s22", "--max", "-1"],
    }.Select(static words => string.Join(' ', words.Select(static word => Escape.Text(word))) + "\n    " + Words.Refused(words))));

    private static string Text(string option)
    {
        Assert.Null(CommandLine.Parse([option], out string? text));
        return Assert.IsType<string>(text);
    }
}
