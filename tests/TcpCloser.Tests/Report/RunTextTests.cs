namespace TcpCloser.Tests.Report;

/// <summary>The first log line, which describes what the run does.</summary>
public sealed class RunTextTests
{
    private const uint NoLogin = uint.MaxValue;

    [Theory]
    [InlineData("closing tcp ipv4 sport=22 state=established by kill signal=SIGTERM grace=0s", "-s", "22", "--method", "kill", "--grace", "0")]
    [InlineData("closing tcp ipv4 sport=22 state=established idle>=60ms by auto (destroy, else disconnect)", "-s", "22", "-t", "60")]
    [InlineData("closing tcp ipv4 sport=22 state=established by auto (destroy, else disconnect)", "-4s22")]
    [InlineData("closing tcp ipv4 sport=22 state=established by destroy", "-4s22", "--method", "destroy")]
    [InlineData("closing tcp ipv6 dport=22,80-90 state=established by auto (destroy, else disconnect)", "-6d22,80-90")]
    [InlineData("closing tcp ipv4 ipv6 sport=22 dport=80 state=established by auto (destroy, else disconnect)", "-46s22", "-d80")]
    [InlineData("closing tcp ipv4 sport=22 state=syn-recv,time-wait by auto (destroy, else disconnect)", "-s22", "--state", "bucket")]
    [InlineData("closing tcp ipv4 sport=22 state=established idle>=2h idle<7d by auto (destroy, else disconnect)", "-s22", "-t2h", "--last-recv-limit", "7d")]
    [InlineData("closing tcp ipv4 sport=22 state=established idle>=90s by auto (destroy, else disconnect)", "-s22", "-t1.5m")]
    [InlineData("closing tcp ipv4 sport=22 state=established idle>=1500ms by auto (destroy, else disconnect)", "-s22", "-t1.5s")]
    [InlineData("closing tcp ipv4 sport=22 state=established idle>=90m by auto (destroy, else disconnect)", "-s22", "-t1.5h")]
    [InlineData("closing tcp ipv4 sport=22 state=established by auto (destroy, else disconnect) every 1m", "-s22", "-i60", "-v")]
    [InlineData("closing tcp ipv4 sport=22 state=established by kill signal=SIGKILL", "-s22", "--use-proc")]
    [InlineData("closing tcp ipv4 sport=22 state=established by kill signal=SIGTERM", "-s22", "--use-proc", "--signal", "15")]
    [InlineData("closing tcp ipv4 sport=22 state=established by kill signal=40", "-s22", "--use-proc", "--signal", "40")]
    [InlineData("dry run: would close tcp ipv4 sport=22 state=established by auto (destroy, else disconnect)", "-ns22")]
    [InlineData("closing tcp ipv4 src=10.0.0.0/8,10.1.2.3 dst=192.0.2.1 not-src=10.0.0.1 not-dst=192.0.2.0/24 state=established by auto (destroy, else disconnect)",
        "--src", "10.0.0.0/8,10.1.2.3", "--dst", "192.0.2.1", "--not-src", "10.0.0.1", "--not-dst", "192.0.2.0/24")]
    [InlineData("closing tcp ipv4 ipv6 uid=0,1000 pid=1,2 comm=sshd,\"a b\" interface=eth0 mark=0x1/0x1,0x2/0xffffffff state=established by auto (destroy, else disconnect)",
        "--uid", "0,1000", "--pid", "1,2", "--comm", "sshd", "--comm", "a b", "--interface", "eth0", "--mark", "1/1", "--mark", "2")]
    [InlineData("closing tcp ipv4 cgroup=/sys/fs/cgroup/a netns=blue,\"a b\" state=established by auto (destroy, else disconnect)",
        "-4", "--cgroup", "/sys/fs/cgroup/a", "--netns", "blue", "--netns", "a b")]
    [InlineData("closing tcp ipv4 ipv6 cgroup=nginx.service,/system.slice not-cgroup=3f2a9c1b7d4e pod=default/web-* state=established by auto (destroy, else disconnect)",
        "--cgroup", "nginx.service,/system.slice", "--not-cgroup", "3f2a9c1b7d4e", "--pod", "default/web-*")]
    [InlineData("closing tcp ipv4 ipv6 sport=22 only=/dev/null state=established by auto (destroy, else disconnect)", "-s22", "--only", "/dev/null")]
    [InlineData("closing tcp ipv4 ipv6 all-netns state=established idle(sent)>=1d no-ack>=15m src-gone silent>=5s by auto (destroy, else disconnect) max=7",
        "-46", "--all-netns", "--idle-by", "send", "-t1d", "--no-ack-for", "15m", "--src-gone", "--probe", "5s", "--max", "7")]
    [InlineData("closing tcp ipv4 ipv6 uid=0 not-uid=1000 not-comm=sshd,\"a b\" state=established matched-for=1m by auto (destroy, else disconnect) keep=2/peer limit=5 max=7 every 1m",
        "-46", "--uid", "0", "--not-uid", "1000", "--not-comm", "sshd,a b", "--matched-for", "1m", "--keep", "2/peer", "--limit", "5", "--max", "7", "-i", "1m")]
    [InlineData("closing tcp ipv4 sport=22 state=established idle(both)>=1ms by disconnect", "-s22", "-t1", "--idle-by", "both", "--method", "disconnect")]
    [InlineData("closing tcp ipv4 sport=22 state=established by kill signal=SIGTERM grace=5s", "-s22", "--use-proc", "--signal", "TERM", "--grace", "5s")]
    [InlineData("enabling keepalive on tcp ipv4 sport=22 state=established by keepalive keepalive=60s,10s,6", "-s22", "--method", "keepalive")]
    [InlineData("enabling keepalive on tcp ipv4 sport=22 state=established by keepalive keepalive=5s,2s,3 user-timeout=30s",
        "-s22", "--method", "keepalive", "--keepalive", "5s,2s,3", "--user-timeout", "30s")]
    [InlineData("dry run: would enable keepalive on tcp ipv4 sport=22 state=established by keepalive keepalive=60s,10s,6", "-ns22", "--method", "keepalive")]
    [InlineData("counting by peer tcp ipv4 ipv6 sport=22 state=established,syn-sent,syn-recv,fin-wait-1,fin-wait-2,closed,close-wait,last-ack,closing",
        "-s22", "--group-by", "peer")]
    [InlineData("counting by state tcp ipv4 ipv6 state=established,time-wait", "--group-by", "state", "--state", "established,time-wait")]
    public void Describe_EachOption_IsInTheLine(string line, params string[] words) => Assert.Equal(line, Describe(words));

    [Fact]
    public void Describe_ListOfOver20_IsCut()
    {
        int[] ports = [.. Enumerable.Range(1, 25).Select(static i => 2 * i)];
        Assert.Contains(",38,40,(and 5 more) state=", Describe("-s", string.Join(',', ports)), StringComparison.Ordinal);
        Assert.Contains(",38,40 state=", Describe("-s", string.Join(',', ports[..20])), StringComparison.Ordinal);
    }

    /// <summary>The user who started the run is at the end of the line.</summary>
    [Theory]
    [Rows("0 | null | 0 |  user=root", "0 |  | 0 |  user=root", "0 | alice | 1000 |  user=root sudo_user=alice",
        "0 | null | 1000 |  user=root login_user=alice", "1000 | null | 1000 |  user=alice",
        "0 | null | 1001 |  user=root login_user=1001")]
    [InlineData(0u, null, NoLogin, " user=root")]
    [InlineData(0u, "alice", NoLogin, " user=root sudo_user=alice")]
    [InlineData(61184u, null, NoLogin, " user=61184")]
    [InlineData(0u, "a b\n\u001b[31m", NoLogin, " user=root sudo_user=\"a b\\x0A\\x1B[31m\"")]
    public void Starter_UserAndLogin_NamesEachOnce(uint uid, string? sudoUser, uint loginUid, string text) =>
        Assert.Equal(text, Starter.Describe(uid, sudoUser, loginUid, static uid => uid switch { 0 => "root", 1000 => "alice", _ => null }));

    [Fact]
    public void Starter_ThisProcess_NamesItsUser() => Assert.StartsWith(
        Unistd.getuid() == 0 ? " user=root" : " user=", Starter.Describe(), StringComparison.Ordinal);

    private static string Describe(params string[] words)
    {
        (Rule rule, RunOptions run) = Words.Parse(words);
        return RunText.Describe(rule, run);
    }
}
