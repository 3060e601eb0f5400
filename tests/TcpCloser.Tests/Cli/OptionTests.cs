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
        InBothPlaces([option], options => Assert.Equal(family, options.Families.ToString()));

    [Fact]
    public void BothFamilies() => InBothPlaces(["-4", "-6"], options => Assert.Equal(Families.IPv4 | Families.IPv6, options.Families));

    [Theory]
    [InlineData("-d")]
    [InlineData("--dport")]
    public void DestinationPorts(string option) =>
        InBothPlaces([option, "80,8000-8999"], options => Assert.Equal("80,8000-8999", Words.Text(options.DestinationPorts)));

    [Theory]
    [InlineData("-s")]
    [InlineData("--sport")]
    public void SourcePorts(string option)
    {
        Assert.Equal("22,443,8000-8999", Words.Text(Words.Parse("-v", option, "22,443,8000-8999").SourcePorts));
        Assert.Equal("22", Words.Text(Words.Parse(option, "22", "-v").SourcePorts));
    }

    [Fact]
    public void SourcePortsAreNotDestinationPorts()
    {
        Options options = Words.Parse("-s", "1", "-d", "2", "--sport", "3", "--dport", "4");
        Assert.Equal("1,3", Words.Text(options.SourcePorts));
        Assert.Equal("2,4", Words.Text(options.DestinationPorts));
    }

    [Theory]
    [InlineData("-t")]
    [InlineData("--idle-time")]
    [InlineData("--idle_time")]
    public void IdleTime(string option) =>
        InBothPlaces([option, "60"], options => Assert.Equal(TimeSpan.FromMilliseconds(60), options.IdleTime));

    [Theory]
    [InlineData("--last-recv-limit")]
    [InlineData("--last_recv_limit")]
    public void LastRecvLimit(string option) =>
        InBothPlaces([option, "60"], options => Assert.Equal(TimeSpan.FromMilliseconds(60), options.LastRecvLimit));

    [Theory]
    [InlineData("-i")]
    [InlineData("--interval")]
    public void IntervalIsInSeconds(string option) =>
        InBothPlaces([option, "60"], options => Assert.Equal(TimeSpan.FromSeconds(60), options.Interval));

    [Theory]
    [InlineData("-f")]
    [InlineData("--logfile")]
    public void LogFile(string option) => InBothPlaces([option, "/var/log/x y"], options => Assert.Equal("/var/log/x y", options.LogFile));

    [Theory]
    [InlineData("-v")]
    [InlineData("--verbose")]
    public void Verbose(string option) => InBothPlaces([option], options => Assert.True(options.Verbose));

    [Theory]
    [InlineData("-n")]
    [InlineData("--dry-run")]
    public void DryRun(string option) => InBothPlaces([option], options => Assert.True(options.DryRun));

    [Theory]
    [InlineData("--use-proc")]
    [InlineData("--use_proc")]
    public void UseProc(string option) => InBothPlaces([option], options =>
    {
        Assert.Equal(Method.Kill, options.Method);
        Assert.Equal(9, options.Signal);
    });

    [Theory]
    [InlineData("--disable-syslog")]
    [InlineData("--disable_syslog")]
    public void DisableSyslog(string option) => InBothPlaces([option], options => Assert.False(options.Syslog));

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
        InBothPlaces(["--signal", name, "--use-proc"], options => Assert.Equal(number, options.Signal));
        InBothPlaces(["--use_proc", "--signal", name], options => Assert.Equal(number, options.Signal));
    }

    [Fact]
    public void State() => InBothPlaces(["--state", "close-wait"], options => Assert.Equal(1u << 8, options.States));

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
        Options options = Words.Parse("-s", "22");
        Assert.Equal(Families.IPv4, options.Families);
        Assert.Equal(1u << 1, options.States);
        Assert.Equal(TimeSpan.Zero, options.IdleTime);
        Assert.Equal(TimeSpan.Zero, options.LastRecvLimit);
        Assert.False(options.ConsultsClocks);
        Assert.Null(options.Interval);
        Assert.Null(options.LogFile);
        Assert.True(options.Syslog);
        Assert.False(options.Verbose);
        Assert.False(options.DryRun);
        Assert.Equal(Options.DefaultMethod, options.Method);
        Assert.Empty(options.DestinationPorts);
    }

    [Theory]
    [InlineData("-t", "1")]
    [InlineData("--last-recv-limit", "1")]
    public void ATimeMakesTheClocksDecide(string option, string value) => Assert.True(Words.Parse("-s", "22", option, value).ConsultsClocks);

    private static void InBothPlaces(string[] words, Action<Options> check)
    {
        check(Words.Parse([.. words, "-s", "22"]));
        check(Words.Parse(["-s", "22", .. words]));
        check(Words.Parse([.. words, "-s", "22", "--"]));
        Assert.Equal("22", Words.Text(Words.Parse([.. words, "-s", "22"]).SourcePorts));
    }

    private static string TextOf(params string[] words)
    {
        Assert.Null(CommandLine.Parse(words, out string? text));
        return Assert.IsType<string>(text);
    }
}
