namespace TcpCloser.Tests.Cli;

/// <summary>Filters that ss(8) accepts and endpoints that it prints are refused with the equivalent options.</summary>
public sealed class SsSyntaxTests
{
    [Theory]
    [Rows("-s 22 | sport = :22", "-s 22 | sport=:22", "-s ssh | sport == :ssh", "-d 443 | dport eq :443",
        "-d 443 --dst 10.0.0.0/8 | dport :443 and dst 10.0.0.0/8", "--src 10.0.0.1 -s 22 | src 10.0.0.1:22",
        "--dst fd00::1 | dst [fd00::1]", "--state close-wait | state close-wait",
        "--src 1.2.3.4 -s 22 | 1.2.3.4:22")]
    [InlineData("-s 22", "sport = :22")]
    [InlineData("-s 22", "( sport = :22 )")]
    [InlineData("--state established -s 22", "state", "established", "sport = :22")]
    public void FilterOrEndpoints_Refused_MessageShowsEquivalentOptions(string options, params string[] words)
    {
        string advice = "': write this as options: " + options;
        Assert.EndsWith(advice, Words.Refused(words), StringComparison.Ordinal);
        Assert.EndsWith(advice, Words.Refused(["-t", "2h", .. words]), StringComparison.Ordinal);
        Words.Rule([.. options.Split(' '), "-t", "2h"]);
    }

    [Theory]
    [InlineData("echo '1.2.3.4:22 5.6.7.8:999'", "1.2.3.4:22", "5.6.7.8:999")]
    [InlineData("echo '1.2.3.4:22 5.6.7.8:999'", "1.2.3.4:22 5.6.7.8:999")]
    [InlineData("echo '1.2.3.4:22 5.6.7.8:999'", "1.2.3.4:22 -> 5.6.7.8:999")]
    [InlineData("echo '[fd00::1]:22 [fd00::2]:999'", "[fd00::1]:22", "[fd00::2]:999", "-n")]
    [InlineData("echo '1.2.3.4:22 5.6.7.8:999'", "ESTAB", "0", "0", "1.2.3.4:22", "5.6.7.8:999")]
    [InlineData("echo '1.2.3.4:22 5.6.7.8:999'", "ESTAB 0 0 1.2.3.4:22 5.6.7.8:999 ino:1 sk:2")]
    [InlineData("ss -tneH ...", "1.2.3.4%lo:22 5.6.7.8:999")]
    [InlineData("echo '1.2.3.4:22 5.6.7.8:999'", "--src", "1.2.3.4:22 5.6.7.8:999")]
    [InlineData("echo '1.2.3.4:22 5.6.7.8:999'", "--dst", "1.2.3.4:22 5.6.7.8:999")]
    [InlineData("echo '1.2.3.4:22 5.6.7.8:999'", "-s", "1.2.3.4:22 5.6.7.8:999")]
    [InlineData("echo '[fd00::1]:22 [fd00::2]:999'", "--src", "[fd00::1]:22 [fd00::2]:999")]
    public void ConnectionPasted_Refused_MessageShowsOnly(string input, params string[] words)
    {
        string advice = $"': connections by their endpoints, and lines of ss, are read from a file or from stdin: {input} | tcp-closer --only -";
        Assert.EndsWith(advice, Words.Refused(words), StringComparison.Ordinal);
        Assert.EndsWith(advice, Words.Refused(["-t", "2h", .. words]), StringComparison.Ordinal);
    }

    [Theory]
    [Rows("sport >= :1024", "state connecting", "state", "dst host.example")]
    [InlineData("sport = :22 or sport = :23")]
    [InlineData("sport = $(reboot)")]
    public void FilterWithoutEquivalent_Refused_MessageShowsExampleOptions(params string[] words) =>
        Assert.EndsWith("': write filters of ss as options, such as -s 22 --dst 10.0.0.0/8 --state close-wait", Words.Refused(words), StringComparison.Ordinal);

    [Theory]
    [Rows("-p | ports are -s (local) and -d (remote); -n shows the processes in the column OWNER, --pid and --comm select by them",
        "-K | connections are closed unless -n is given", "--kill | connections are closed unless -n is given",
        "-a | every state but listen is --state all", "-l | listening sockets are closed only if --state listen names them",
        "-N | another network namespace is --netns NAME",
        "-m | --method, --max, --mark and --metrics have no short form; the queues, which ss -m shows, are logged with -v",
        "-o | -n shows how long ago data was received and sent; timers, which ss -o shows, are not available")]
    public void OptionOfSs_Refused_MessageShowsTheEquivalent(string word, string advice)
    {
        Assert.Equal($"unknown option '{word}': {advice}", Words.Refused("-s", "22", word));
        Assert.Equal($"unknown option '{word}': {advice}", Words.Refused(word, "-s", "22"));
    }

    [Theory]
    [Rows("-np | -p': ports are -s (local) and -d (remote); -n shows the processes in the column OWNER, --pid and --comm select by them",
        "-p22 | -p22': ports are -s (local) and -d (remote); ", "-an | -an': every state but listen is --state all",
        "-lnt | -lnt': listening sockets are closed only if ")]
    public void OptionOfSs_InOneWordWithOthers_MessageShowsTheEquivalent(string word, string advice) =>
        Assert.StartsWith($"unknown option '{advice}", Words.Refused("-s", "22", word), StringComparison.Ordinal);

    [Theory]
    [Values("n", "np", "anp", "ulpen")]
    public void TFollowedByFlagsOfSs_Refused_MessageExplainsTime(string flags)
    {
        string message = $"-t '{flags}': -t takes a TIME here, such as 90s; only TCP is looked at, and -n shows the connections with their processes";
        Assert.Equal(message, Words.Refused("-s22", "-t" + flags));
        Assert.Equal(message, Words.Refused("-s22", "-t", flags));
    }

    [Fact]
    public void TFollowedByDigitsThatAreFlagsOfSs_IsATime() =>
        Assert.Equal(TimeSpan.FromMilliseconds(64), Words.Rule("-s22", "-t64").IdleTime);

    [Fact]
    public void Filter_1000LongWords_IsRefusedInAShortLine() => Assert.InRange(
        Words.Refused([.. Enumerable.Repeat("sport = :" + new string('9', 1000), 1000)]).Length, 0, 300);
}
