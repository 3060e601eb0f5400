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
    [InlineData("closing tcp ipv4 src=10.0.0.0/8,10.1.2.3 dst=192.0.2.1 not-src=10.0.0.1 not-dst=192.0.2.0/24 state=established by destroy",
        "--src", "10.0.0.0/8,10.1.2.3", "--dst", "192.0.2.1", "--not-src", "10.0.0.1", "--not-dst", "192.0.2.0/24")]
    [InlineData("closing tcp ipv4 ipv6 uid=0,1000 pid=1,2 comm=sshd,\"a b\" interface=eth0 mark=0x1/0x1,0x2/0xffffffff state=established by destroy",
        "--uid", "0,1000", "--pid", "1,2", "--comm", "sshd", "--comm", "a b", "--interface", "eth0", "--mark", "1/1", "--mark", "2")]
    [InlineData("closing tcp ipv4 cgroup=/sys/fs/cgroup/a netns=blue,\"a b\" state=established by destroy",
        "-4", "--cgroup", "/sys/fs/cgroup/a", "--netns", "blue", "--netns", "a b")]
    [InlineData("closing tcp ipv4 ipv6 all-netns state=established idle(sent)>=1d no-ack>=15m src-gone silent>=5s by destroy max=7",
        "-46", "--all-netns", "--idle-by", "send", "-t1d", "--no-ack-for", "15m", "--src-gone", "--probe", "5s", "--max", "7")]
    [InlineData("closing tcp ipv4 sport=22 state=established idle(both)>=1ms by disconnect", "-s22", "-t1", "--idle-by", "both", "--method", "disconnect")]
    [InlineData("closing tcp ipv4 sport=22 state=established by kill signal=SIGTERM grace=5s", "-s22", "--use-proc", "--signal", "TERM", "--grace", "5s")]
    [InlineData("curing tcp ipv4 sport=22 state=established by keepalive keepalive=60s,10s,6", "-s22", "--method", "keepalive")]
    [InlineData("curing tcp ipv4 sport=22 state=established by keepalive keepalive=5s,2s,3 user-timeout=30s",
        "-s22", "--method", "keepalive", "--keepalive", "5s,2s,3", "--user-timeout", "30s")]
    [InlineData("dry run: would cure tcp ipv4 sport=22 state=established by keepalive keepalive=60s,10s,6", "-ns22", "--method", "keepalive")]
    [InlineData("counting by peer tcp ipv4 ipv6 sport=22 state=established", "-s22", "--group-by", "peer")]
    public void Of(string line, params string[] words) =>
        Assert.Equal(line, Describe(words));

    [Fact]
    public void LongListsAreCutShort()
    {
        string line = Describe("-s", string.Join(',', Enumerable.Range(1, 25).Select(static i => 2 * i)));
        Assert.Contains(",38,40,(and 5 more) state=", line, StringComparison.Ordinal);
        line = Describe("-s", string.Join(',', Enumerable.Range(1, 20).Select(static i => 2 * i)));
        Assert.Contains(",38,40 state=", line, StringComparison.Ordinal);
    }

    private static string Describe(params string[] words)
    {
        (Rule rule, RunOptions run) = Words.Parse(words);
        return RunText.Describe(rule, run);
    }
}
