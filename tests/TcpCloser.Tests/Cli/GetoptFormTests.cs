using TcpCloser.Cli;
using TcpCloser.Tests.Support;

namespace TcpCloser.Tests.Cli;

/// <summary>The forms that getopt_long(3) took from users of the C tool.</summary>
public sealed class GetoptFormTests
{
    [Theory]
    [InlineData("22", "-s22")]
    [InlineData("4", "-s4")]
    [InlineData("6", "-s6")]
    [InlineData("44", "-s44")]
    [InlineData("64", "-s64")]
    [InlineData("22,80", "-s22,80")]
    [InlineData("22-80", "-s22-80")]
    [InlineData("22", "-vs22")]
    [InlineData("22", "-4vs22")]
    [InlineData("22", "-4vs", "22")]
    [InlineData("22", "--sport=22")]
    [InlineData("22", "--sport", "22")]
    [InlineData("22,80", "-s", "22", "-s", "80")]
    [InlineData("22,80,443", "-s22", "--sport=80", "--sport", "443")]
    [InlineData("80,22", "-s", "80", "-s", "22")]
    [InlineData("22,22", "-s", "22", "-s", "22")]
    [InlineData("22", "-s", "00022")]
    [InlineData("1-65535", "-s", "1-65535")]
    [InlineData("5", "-s", "5-5")]
    public void SourcePorts(string ports, params string[] words) => Assert.Equal(ports, Words.Text(Words.Rule(words).SourcePorts));

    [Fact]
    public void FlagsInOneWord()
    {
        (Rule rule, RunOptions run) = Words.Parse("-46vns22", "-d80");
        Assert.Equal(Families.IPv4 | Families.IPv6, rule.Families);
        Assert.True(run.Verbose);
        Assert.True(run.DryRun);
        Assert.Equal("22", Words.Text(rule.SourcePorts));
        Assert.Equal("80", Words.Text(rule.DestinationPorts));
    }

    [Theory]
    [InlineData("/var/log/x", "-f/var/log/x")]
    [InlineData("/var/log/x", "-vf/var/log/x")]
    [InlineData("/var/log/x", "-f", "/var/log/x")]
    [InlineData("/var/log/x", "--logfile=/var/log/x")]
    [InlineData("a=b", "-fa=b")]
    [InlineData("a:b", "-fa:b")]
    [InlineData("/a=b:c", "-f", "/a=b:c")]
    [InlineData("a=b", "--logfile=a=b")]
    [InlineData("a:b=c", "--logfile=a:b=c")]
    [InlineData("a:b", "--logfile", "a:b")]
    [InlineData("tcp-closer", "-f", "tcp-closer")]
    [InlineData("tcp-closer", "-ftcp-closer")]
    [InlineData("@file", "-f", "@file")]
    [InlineData("@file", "-f@file")]
    [InlineData("[x]", "-f", "[x]")]
    [InlineData("-", "-f", "-")]
    [InlineData("true", "-f", "true")]
    [InlineData("second", "-f", "first", "-f", "second")]
    [InlineData("s22", "-fs22")]
    [InlineData("v", "-fv")]
    public void LogFile(string path, params string[] words)
    {
        Assert.Equal(path, Words.Run([.. words, "-s", "22"]).LogFile);
        Assert.Equal(path, Words.Run(["-s", "22", .. words]).LogFile);
    }

    [Theory]
    [InlineData(6, "-t", "5", "-t", "6")]
    [InlineData(6, "-t5", "-t6")]
    [InlineData(6, "--idle-time=5", "--idle_time", "6")]
    [InlineData(5, "-t", "6", "-t", "5")]
    [InlineData(0, "-t", "6", "-t", "0")]
    public void TheLastOfTwoCounts(int milliseconds, params string[] words) =>
        Assert.Equal(TimeSpan.FromMilliseconds(milliseconds), Words.Rule([.. words, "-s", "22"]).IdleTime);

    [Fact]
    public void TheLastIntervalLimitAndSignalCount()
    {
        (Rule rule, RunOptions run) = Words.Parse("-i5", "-s22", "-i", "6", "--last-recv-limit", "8", "--last_recv_limit=9", "--use-proc",
            "--signal", "TERM", "--signal=HUP");
        Assert.Equal(TimeSpan.FromSeconds(6), run.Interval);
        Assert.Equal(TimeSpan.FromMilliseconds(9), rule.LastRecvLimit);
        Assert.Equal(1, rule.Signal);
    }

    [Fact]
    public void AnEarlierValueIsCheckedThoughTheLastCounts() => Words.Refused("-s", "22", "-t", "x", "-t", "6");

    [Fact]
    public void AFlagMayBeRepeated() => Assert.True(Words.Run("-v", "-v", "-vv", "-s22").Verbose);

    [Fact]
    public void TwoDashesEndTheOptions() => Assert.Equal("22", Words.Text(Words.Rule("-s", "22", "--").SourcePorts));
}
