using TcpCloser.Cli;
using TcpCloser.Tests.Support;

namespace TcpCloser.Tests.Cli;

/// <summary>Every documented option under each of its names, before and after the others.</summary>
public sealed class OptionTests
{
    [Theory]
    [InlineData("-4", "IPv4")]
    [InlineData("-6", "IPv6")]
    public void AFamily(string option, string family) =>
        InBothPlaces([option], (rule, _) => Assert.Equal(family, rule.Families.ToString()));

    [Fact]
    public void BothFamilies() => InBothPlaces(["-4", "-6"], (rule, _) => Assert.Equal(Families.IPv4 | Families.IPv6, rule.Families));

    [Theory]
    [InlineData("-d")]
    [InlineData("--dport")]
    public void DestinationPorts(string option) =>
        InBothPlaces([option, "80,8000-8999"], (rule, _) => Assert.Equal("80,8000-8999", Words.Text(rule.DestinationPorts)));

    [Theory]
    [InlineData("-s")]
    [InlineData("--sport")]
    public void SourcePorts(string option)
    {
        Assert.Equal("22,443,8000-8999", Words.Text(Words.Rule("-v", option, "22,443,8000-8999").SourcePorts));
        Assert.Equal("22", Words.Text(Words.Rule(option, "22", "-v").SourcePorts));
    }

    [Fact]
    public void SourcePortsAreNotDestinationPorts()
    {
        Rule rule = Words.Rule("-s", "1", "-d", "2", "--sport", "3", "--dport", "4");
        Assert.Equal("1,3", Words.Text(rule.SourcePorts));
        Assert.Equal("2,4", Words.Text(rule.DestinationPorts));
    }

    [Theory]
    [InlineData("-t")]
    [InlineData("--idle-time")]
    [InlineData("--idle_time")]
    public void IdleTime(string option) =>
        InBothPlaces([option, "60"], (rule, _) => Assert.Equal(TimeSpan.FromMilliseconds(60), rule.IdleTime));

    [Theory]
    [InlineData("--last-recv-limit")]
    [InlineData("--last_recv_limit")]
    public void LastRecvLimit(string option) =>
        InBothPlaces([option, "60"], (rule, _) => Assert.Equal(TimeSpan.FromMilliseconds(60), rule.LastRecvLimit));

    [Theory]
    [InlineData("-i")]
    [InlineData("--interval")]
    public void IntervalIsInSeconds(string option) =>
        InBothPlaces([option, "60"], (_, run) => Assert.Equal(TimeSpan.FromSeconds(60), run.Interval));

    [Theory]
    [InlineData("-f")]
    [InlineData("--logfile")]
    public void LogFile(string option) => InBothPlaces([option, "/var/log/x y"], (_, run) => Assert.Equal("/var/log/x y", run.LogFile));

    [Theory]
    [InlineData("-v")]
    [InlineData("--verbose")]
    public void Verbose(string option) => InBothPlaces([option], (_, run) => Assert.True(run.Verbose));

    [Theory]
    [InlineData("-n")]
    [InlineData("--dry-run")]
    public void DryRun(string option) => InBothPlaces([option], (_, run) => Assert.True(run.DryRun));

    [Theory]
    [InlineData("--use-proc")]
    [InlineData("--use_proc")]
    public void UseProc(string option) => InBothPlaces([option], (rule, _) =>
    {
        Assert.Equal(Method.Kill, rule.Method);
        Assert.Equal(9, rule.Signal);
    });

    [Theory]
    [InlineData("--disable-syslog")]
    [InlineData("--disable_syslog")]
    public void DisableSyslog(string option) => InBothPlaces([option], (_, run) => Assert.False(run.Syslog));

    [Theory]
    [InlineData("TERM", 15)]
    [InlineData("SIGTERM", 15)]
    [InlineData("sigterm", 15)]
    [InlineData("hup", 1)]
    [InlineData("SIGUSR2", 12)]
    [InlineData("SYS", 31)]
    [InlineData("1", 1)]
    [InlineData("64", 64)]
    public void SignalOfUseProc(string name, int number)
    {
        InBothPlaces(["--signal", name, "--use-proc"], (rule, _) => Assert.Equal(number, rule.Signal));
        InBothPlaces(["--use_proc", "--signal", name], (rule, _) => Assert.Equal(number, rule.Signal));
    }

    [Fact]
    public void State() => InBothPlaces(["--state", "close-wait"], (rule, _) => Assert.Equal(1u << 8, rule.States));

    [Theory]
    [InlineData("-h")]
    [InlineData("--help")]
    public void Help(string option)
    {
        Assert.StartsWith("tcp-closer finds dead TCP connections", TextOf(option), StringComparison.Ordinal);
        Assert.Equal(TextOf(option), TextOf("-s", "22", option));
        Assert.Equal(TextOf(option), TextOf(option, "-s", "nonsense"));
    }

    [Fact]
    public void Version()
    {
        Assert.StartsWith("tcp-closer ", TextOf("--version"), StringComparison.Ordinal);
        Assert.Equal(TextOf("--version"), TextOf("-4", "--version"));
    }

    [Fact]
    public void Defaults()
    {
        (Rule rule, RunOptions run) = Words.Parse("-s", "22");
        Assert.Equal(Families.IPv4, rule.Families);
        Assert.Equal(1u << 1, rule.States);
        Assert.Equal(TimeSpan.Zero, rule.IdleTime);
        Assert.Equal(TimeSpan.Zero, rule.LastRecvLimit);
        Assert.False(rule.ConsultsClocks);
        Assert.Null(run.Interval);
        Assert.Null(run.LogFile);
        Assert.True(run.Syslog);
        Assert.False(run.Verbose);
        Assert.False(run.DryRun);
        Assert.Equal(Rule.DefaultMethod, rule.Method);
        Assert.Empty(rule.DestinationPorts);
    }

    [Theory]
    [InlineData("-t", "1")]
    [InlineData("--last-recv-limit", "1")]
    public void ATimeMakesTheClocksDecide(string option, string value) => Assert.True(Words.Rule("-s", "22", option, value).ConsultsClocks);

    private static void InBothPlaces(string[] words, Action<Rule, RunOptions> check)
    {
        foreach (string[] line in (string[][])[[.. words, "-s", "22"], ["-s", "22", .. words], [.. words, "-s", "22", "--"]])
        {
            (Rule rule, RunOptions run) = Words.Parse(line);
            check(rule, run);
        }

        Assert.Equal("22", Words.Text(Words.Rule([.. words, "-s", "22"]).SourcePorts));
    }

    private static string TextOf(params string[] words)
    {
        Assert.Null(CommandLine.Parse(words, out string? text));
        return Assert.IsType<string>(text);
    }
}
