using TcpCloser.Cli;
using TcpCloser.Report;
using TcpCloser.Tests.Support;

namespace TcpCloser.Tests.Report;

/// <summary>The first line: what the run will do, in words and units.</summary>
public sealed class RunTextTests
{
    [Theory]
    [InlineData("closing tcp ipv4 sport=22 state=established idle>=60ms by destroy", "-s", "22", "-t", "60")]
    [InlineData("closing tcp ipv4 sport=22 state=established by destroy", "-4s22")]
    [InlineData("closing tcp ipv6 dport=22,80-90 state=established by destroy", "-6d22,80-90")]
    [InlineData("closing tcp ipv4 ipv6 sport=22 dport=80 state=established by destroy", "-46s22", "-d80")]
    [InlineData("closing tcp ipv4 sport=22 state=syn-recv,time-wait by destroy", "-s22", "--state", "bucket")]
    [InlineData("closing tcp ipv4 sport=22 state=established idle>=2h idle<7d by destroy", "-s22", "-t2h", "--last-recv-limit", "7d")]
    [InlineData("closing tcp ipv4 sport=22 state=established idle>=90s by destroy", "-s22", "-t1.5m")]
    [InlineData("closing tcp ipv4 sport=22 state=established idle>=1500ms by destroy", "-s22", "-t1.5s")]
    [InlineData("closing tcp ipv4 sport=22 state=established idle>=90m by destroy", "-s22", "-t1.5h")]
    [InlineData("closing tcp ipv4 sport=22 state=established by destroy every 1m", "-s22", "-i60", "-v")]
    [InlineData("closing tcp ipv4 sport=22 state=established by kill signal=SIGKILL", "-s22", "--use-proc")]
    [InlineData("closing tcp ipv4 sport=22 state=established by kill signal=SIGTERM", "-s22", "--use-proc", "--signal", "15")]
    [InlineData("closing tcp ipv4 sport=22 state=established by kill signal=40", "-s22", "--use-proc", "--signal", "40")]
    [InlineData("dry run: would close tcp ipv4 sport=22 state=established by destroy", "-ns22")]
    public void Of(string line, params string[] words) =>
        Assert.Equal(line, Describe(words));

    [Fact]
    public void LongListsAreCutShort()
    {
        string line = Describe("-s", string.Join(',', Enumerable.Range(1, 25).Select(static i => 2 * i)));
        Assert.Contains(",38,40,(and 5 more) state=", line, StringComparison.Ordinal);
    }

    private static string Describe(params string[] words)
    {
        (Rule rule, RunOptions run) = Words.Parse(words);
        return RunText.Describe(rule, run);
    }
}
