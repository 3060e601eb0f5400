namespace TcpCloser.Tests.Cli;

/// <summary>Options that select by address, user, process, interface, mark, cgroup, state and network namespace.</summary>
public sealed class SelectingOptionTests
{
    [Theory]
    [Rows("10.0.0.0/8,192.168.1.1 | 10.0.0.0/8,192.168.1.1", "10.0.0.1/32 | 10.0.0.1", "0.0.0.0/0 | 0.0.0.0/0",
        "2001:db8::/32 | 2001:db8::/32", "FD00::1/128 | fd00::1", "::/0 | ::/0", "::ffff:10.0.0.1 | 10.0.0.1",
        "::ffff:10.0.0.0/104 | 10.0.0.0/8", "::ffff:a00:1 | 10.0.0.1", "10.1.2.3/8 | 10.1.2.3/8",
        "[2001:db8::1],[2001:DB8::]/32,10.0.0.1 | 2001:db8::1,2001:db8::/32,10.0.0.1", "[::ffff:10.0.0.1] | 10.0.0.1")]
    public void Address_EachForm_IsParsed(string list, string expected)
    {
        Assert.Equal(expected, string.Join(',', Words.Rule("--src", list).Sources));
        Assert.Equal(expected, string.Join(',', Words.Rule("--dst", list, "-v").Destinations));
        Assert.Equal(expected, string.Join(',', Words.Rule("-46", "-s", "22", "--not-src", list).NotSources));
        Assert.Equal(expected, string.Join(',', Words.Rule("--not-dst=" + list, "-6s", "22").NotDestinations));
    }

    [Theory]
    [Rows("IPv4 | --src 10.0.0.1", "IPv6 | --src fd00::1", "IPv4 | --dst ::ffff:10.0.0.1", "IPv4, IPv6 | --src 10.0.0.1,fd00::1",
        "IPv6 | -6 --src 10.0.0.1", "IPv4, IPv6 | -46 --src fd00::1", "IPv6 | -s 22 --dst fd00::1",
        "IPv4, IPv6 | --src 10.0.0.1 --dst 10.0.0.2,fd00::1", "IPv4 | -s 22", "IPv4 | -d 22 --uid 0 --pid 7", "IPv4, IPv6 | --uid 0",
        "IPv4, IPv6 | --pid 7", "IPv4, IPv6 | --comm sshd", "IPv4, IPv6 | --interface lo", "IPv4, IPv6 | --mark 7",
        "IPv4, IPv6 | --cgroup /x", "IPv4, IPv6 | --state time-wait", "IPv4, IPv6 | --check", "IPv4 | -4 --uid 0", "IPv6 | -6 --uid 0",
        // excluded addresses do not decide
        "IPv4 | -s 22 --not-dst 10.0.0.1", "IPv4, IPv6 | --uid 0 --not-dst 10.0.0.1", "IPv4, IPv6 | --uid 0 --not-src fd00::1",
        "IPv6 | --src fd00::1 --not-dst 10.0.0.1", "IPv6 | -6 -s 22 --not-src fd00::1")]
    public void Family_FlagsAddressesOrPorts_DecideInThatOrder(string family, params string[] words) =>
        Assert.Equal(family, Words.Rule(words).Families.ToString());

    [Theory]
    [Rows("-s 22 --not-src fd00::1", "-s 22 --not-dst 10.0.0.1,fd00::1", "--src 10.0.0.1 --not-dst fd00::1")]
    public void Exclusion_OfAFamilyNotSelected_IsRefused(params string[] words) =>
        Assert.EndsWith("'fd00::1': this is an IPv6 address, which no IPv4 connection has; add -6, or -4 -6 for both", Words.Refused(words), StringComparison.Ordinal);

    [Theory]
    [Values("localhost", "db-1.example_net.org", "3com.com")]
    public void Address_HostName_IsRefusedShowingGetent(string host) =>
        Assert.Contains($"--dst \"$(getent ahosts {host} | ", Words.Refused("--dst", "10.0.0.1," + host), StringComparison.Ordinal);

    [Theory]
    [Values("10.0.0.256", "10.0.0.1x", "-x", "host;id", "$(id)", "host/24", "host.")]
    public void Address_NotAHostName_IsRefusedWithoutGetent(string item) =>
        Assert.DoesNotContain("getent", Words.Refused("--dst", item), StringComparison.Ordinal);

    [Theory]
    [Values("", ",", "10.0.0.1,", "10.0.0", "10.0.0.256", "010.0.0.1", "10.0.0.1/", "10.0.0.1/33", "10.0.0.1/-1", "10.0.0.1/+8",
        "10.0.0.1/8/8", "10.0.0.1/255.0.0.0", "10.0.0.1:80", " 10.0.0.1", "fd00::1/129", "fd00::1::", "[fd00::1", "fd00::1]", "[[fd00::1]]",
        "[fd00::1]:80", "[fd00::1/64]", "[10.0.0.1]", "[]", "fe80::1%", "fe80::1%a/b", "fd00::1%lo", "10.0.0.1%lo", "localhost", "*",
        "10.0.0.1\n")]
    public void Address_InvalidValue_IsRefused(string list) => Assert.All(
        ["--src", "--dst", "--not-src", "--not-dst"],
        (string option) => Assert.StartsWith(option + " '", Words.Refused("-46", "-s", "22", option, list), StringComparison.Ordinal));

    [Theory]
    [Rows("-4 --src fd00::1", "-4 --dst 10.0.0.1,fd00::1", "-4 -s 22 --not-src fd00::1", "--src 10.0.0.1 --dst fd00::1",
        "-46 --src 10.0.0.1 --dst fd00::1")]
    public void Address_OfAFamilyNotSelected_IsRefused(params string[] words) => Words.Refused(words);

    [Theory]
    [InlineData]
    [Rows("--", "-4", "-6v", "-t 5", "-n", "-i 5", "--use-proc", "--not-src 10.0.0.1", "--not-dst 10.0.0.1", "--netns x", "--all-netns",
        "--no-ack-for 5s", "--idle-by both", "--method kill", "--max 5", "--include-own-session", "--json", "--not-uid 0",
        "--not-comm sshd", "--not-cgroup a.service", "--limit 5", "--keep 5/peer", "--matched-for 5s -i 5s")]
    public void Selection_NoSelector_IsRefused(params string[] words) =>
        Assert.StartsWith("nothing selected", Words.Refused(words), StringComparison.Ordinal);

    [Theory]
    [Rows("close-wait", "time-wait,last-ack", "closing -t 0", "fin-wait-1 --last-recv-limit 5s", "fin-wait-2 --no-ack-for 5s")]
    public void Selection_OnlyStatesAfterACloseWithoutIdleTime_IsRefused(params string[] words) =>
        Assert.Matches("^nothing selected: .* together with an idle time; add -t, such as -t 10m$", Words.Refused(["--state", .. words]));

    [Theory]
    [Values("established", "all", "bucket", "listen", "closed", "close-wait,established", "time-wait,syn-recv")]
    public void Selection_OnlyOtherStates_IsRefused(string states)
    {
        Assert.StartsWith("nothing selected: add a port ", Words.Refused("--state", states), StringComparison.Ordinal);
        Assert.StartsWith("nothing selected: add a port ", Words.Refused("--state", states, "-t", "5s"), StringComparison.Ordinal);
    }

    [Theory]
    [Rows("--uid 0", "--pid 1", "--comm sshd", "--interface lo", "--mark 1", "--cgroup /sys/fs/cgroup/x", "--cgroup nginx.service", "--pod default/web-0", "--src 10.0.0.1",
        "--state time-wait", "--state TIME_WAIT -t 5s", "--state close-wait -t 5s",
        "--state fin-wait-1,fin-wait-2,last-ack,closing --state close-wait,time-wait -t 1")]
    public void Selection_OneSelector_IsEnough(params string[] words) => Assert.True(Words.Rule(words).Selects);

    /// <summary>The inode number of such a path may be the id of a cgroup: that of /proc is the id of the root cgroup.</summary>
    [Theory]
    [Values("/proc", "/proc/self/ns", "/dev/null", "/etc/passwd", "/")]
    public void Cgroup_PathOutsideCgroup2_IsRefused(string path) => Assert.StartsWith(
        $"--cgroup '{path}': a cgroup is a directory on the cgroup2 file system", Words.Refused("-s", "22", "--cgroup", path), StringComparison.Ordinal);

    [Fact]
    public void Selectors_SeveralValues_AreAllParsed()
    {
        Rule rule = Words.Rule("--src", "10.0.0.1", "--src", "10.0.0.2", "--uid", "1000,1", "--uid=root", "--pid", "7", "--pid=8,9", "--comm", "tmux: server,b", "--comm=sshd", "--interface=eth0",
            "--mark", "16", "--mark", "0x10/0xFF", "--mark=0/1", "--cgroup", "/a b,b.service", "--cgroup=c.slice", "--not-cgroup", "d,/e", "--pod", "a/b,c/d*", "--netns", "blue", "--netns=pid:9", "--netns", "/run/x");
        Assert.Equal("10.0.0.1,10.0.0.2", string.Join(',', rule.Sources));
        Assert.Equal([1000u, 1u, 0u], rule.Uids);
        Assert.Equal([7, 8, 9], rule.Pids);
        Assert.Equal(["tmux: server", "b", "sshd"], rule.Comms);
        Assert.Equal(["eth0"], rule.Interfaces);
        Assert.Equal([new SocketMark(16, uint.MaxValue), new SocketMark(16, 255), new SocketMark(0, 1)], rule.Marks);
        Assert.Equal(["/a b", "b.service", "c.slice"], rule.Cgroups);
        Assert.Equal(["d", "/e"], rule.NotCgroups);
        Assert.Equal(["a/b", "c/d*"], rule.Pods);
        Assert.Equal(["blue", "pid:9", "/run/x"], rule.Netns);
    }

    [Theory]
    [Rows("--uid | -1", "--uid | 4294967295", "--uid | 4294967296", "--uid | no such user", "--uid | root:x", "--uid | 0,", "--uid | 0,,1",
        "--pid | ,7", "--comm | a,", "--comm | ,a", "--pid | 0", "--pid | x", "--pid | 2147483648", "--comm | 1234567890123456",
        "--interface | 1234567890123456", "--interface | a/b", "--mark | 0x", "--mark | -1", "--mark | 4294967296", "--mark | 0x100000000",
        "--mark | 1/", "--mark | 1/x", "--mark | 0x100/0xff", "--netns | ..", "--netns | pid:", "--netns | pid:0", "--netns | pid:x",
        "--netns | 2147483647", "--max | -1", "--max | 2147483648", "--idle-by | RECV", "--method | Kill", "--no-ack-for | 50d",
        "--no-ack-for | x", "--uid | ", "--comm | ", "--interface | ", "--mark | ", "--cgroup | ", "--netns | ", "--max | ", "--method | ",
        "--cgroup | a.service,", "--cgroup | a/b", "--not-cgroup | /", "--not-cgroup | docker://x", "--pod | ", "--pod | web", "--pod | default/web,",
        "--pod | default/w*b", "--limit | ", "--limit | -1", "--limit | 2147483648", "--keep | ", "--keep | 2", "--keep | /peer", "--keep | peer/2",
        "--keep | 0/peer", "--keep | -1/peer", "--keep | 2147483648/peer", "--keep | 2/", "--keep | 2/color", "--matched-for | x", "--matched-for | 3651d",
        "--not-uid | ", "--not-uid | no such user", "--not-comm | a,", "--not-comm | 1234567890123456")]
    public void Option_InvalidValue_IsRefused(string option, string value) =>
        Assert.StartsWith(option + " '", Words.Refused("-s", "22", option, value), StringComparison.Ordinal);
}
