using TcpCloser.Cli;
using TcpCloser.Tests.Support;

namespace TcpCloser.Tests.Cli;

/// <summary>Addresses, owners, devices, marks, cgroups and namespaces as rule.</summary>
public sealed class SelectingOptionTests
{
    [Theory]
    [InlineData("10.0.0.0/8,192.168.1.1", "10.0.0.0/8,192.168.1.1")]
    [InlineData("10.0.0.1/32", "10.0.0.1")]
    [InlineData("0.0.0.0/0", "0.0.0.0/0")]
    [InlineData("2001:db8::/32", "2001:db8::/32")]
    [InlineData("FD00::1/128", "fd00::1")]
    [InlineData("::/0", "::/0")]
    [InlineData("::ffff:10.0.0.1", "10.0.0.1")]
    [InlineData("::ffff:10.0.0.0/104", "10.0.0.0/8")]
    [InlineData("::ffff:a00:1", "10.0.0.1")]
    [InlineData("10.1.2.3/8", "10.1.2.3/8")]
    [InlineData("[2001:db8::1],[2001:DB8::]/32,10.0.0.1", "2001:db8::1,2001:db8::/32,10.0.0.1")]
    [InlineData("[::ffff:10.0.0.1]", "10.0.0.1")]
    public void Addresses(string list, string meant)
    {
        Assert.Equal(meant, string.Join(',', Words.Rule("--src", list).Sources));
        Assert.Equal(meant, string.Join(',', Words.Rule("--dst", list, "-v").Destinations));
        Assert.Equal(meant, string.Join(',', Words.Rule("-46", "-s", "22", "--not-src", list).NotSources));
        Assert.Equal(meant, string.Join(',', Words.Rule("--not-dst=" + list, "-6s", "22").NotDestinations));
    }

    [Fact]
    public void RepeatedAddressesAdd() =>
        Assert.Equal("10.0.0.1,10.0.0.2", string.Join(',', Words.Rule("--src", "10.0.0.1", "--src", "10.0.0.2").Sources));

    [Theory]
    [InlineData("IPv4", "--src", "10.0.0.1")]
    [InlineData("IPv6", "--src", "fd00::1")]
    [InlineData("IPv4", "--dst", "::ffff:10.0.0.1")]
    [InlineData("IPv4, IPv6", "--src", "10.0.0.1,fd00::1")]
    [InlineData("IPv6", "-6", "--src", "10.0.0.1")]
    [InlineData("IPv4, IPv6", "-46", "--src", "fd00::1")]
    [InlineData("IPv6", "-s", "22", "--dst", "fd00::1")]
    [InlineData("IPv4, IPv6", "--src", "10.0.0.1", "--dst", "10.0.0.2,fd00::1")]
    [InlineData("IPv4", "-s", "22")]
    [InlineData("IPv4", "-d", "22", "--uid", "0", "--pid", "7")]
    [InlineData("IPv4, IPv6", "--uid", "0")]
    [InlineData("IPv4, IPv6", "--pid", "7")]
    [InlineData("IPv4, IPv6", "--comm", "sshd")]
    [InlineData("IPv4, IPv6", "--interface", "lo")]
    [InlineData("IPv4, IPv6", "--mark", "7")]
    [InlineData("IPv4, IPv6", "--cgroup", "/x")]
    [InlineData("IPv4, IPv6", "--state", "time-wait")]
    [InlineData("IPv4, IPv6", "--check")]
    [InlineData("IPv4", "-4", "--uid", "0")]
    [InlineData("IPv6", "-6", "--uid", "0")]
    public void AddressesElseAPortDecideTheFamily(string family, params string[] words) => Assert.Equal(family, Words.Rule(words).Families.ToString());

    [Theory]
    [InlineData("IPv4", "-s", "22", "--not-dst", "10.0.0.1")]
    [InlineData("IPv4, IPv6", "--uid", "0", "--not-dst", "10.0.0.1")]
    [InlineData("IPv4, IPv6", "--uid", "0", "--not-src", "fd00::1")]
    [InlineData("IPv6", "--src", "fd00::1", "--not-dst", "10.0.0.1")]
    [InlineData("IPv6", "-6", "-s", "22", "--not-src", "fd00::1")]
    public void ExclusionsDecideNothing(string family, params string[] words) => Assert.Equal(family, Words.Rule(words).Families.ToString());

    [Theory]
    [InlineData("-s", "22", "--not-src", "fd00::1")]
    [InlineData("-s", "22", "--not-dst", "10.0.0.1,fd00::1")]
    [InlineData("--src", "10.0.0.1", "--not-dst", "fd00::1")]
    public void AnExclusionThatCanExcludeNothing(params string[] words) =>
        Assert.EndsWith("'fd00::1': an IPv6 address, which no IPv4 connection has; add -6, or -4 -6 for both", Words.Refused(words), StringComparison.Ordinal);

    [Theory]
    [InlineData("localhost")]
    [InlineData("db-1.example_net.org")]
    [InlineData("3com.com")]
    public void AHostNameIsRefusedWithAdvice(string host) =>
        Assert.Contains($"--dst \"$(getent ahosts {host} | ", Words.Refused("--dst", "10.0.0.1," + host), StringComparison.Ordinal);

    [Theory]
    [InlineData("10.0.0.256")]
    [InlineData("10.0.0.1x")]
    [InlineData("-x")]
    [InlineData("host;id")]
    [InlineData("$(id)")]
    [InlineData("host/24")]
    [InlineData("host.")]
    public void WhatIsNoHostNameIsNoCommand(string item) => Assert.DoesNotContain("getent", Words.Refused("--dst", item), StringComparison.Ordinal);

    [Theory]
    [InlineData("")]
    [InlineData(",")]
    [InlineData("10.0.0.1,")]
    [InlineData("10.0.0")]
    [InlineData("10.0.0.256")]
    [InlineData("010.0.0.1")]
    [InlineData("10.0.0.1/")]
    [InlineData("10.0.0.1/33")]
    [InlineData("10.0.0.1/-1")]
    [InlineData("10.0.0.1/+8")]
    [InlineData("10.0.0.1/8/8")]
    [InlineData("10.0.0.1/255.0.0.0")]
    [InlineData("10.0.0.1:80")]
    [InlineData(" 10.0.0.1")]
    [InlineData("fd00::1/129")]
    [InlineData("fd00::1::")]
    [InlineData("[fd00::1")]
    [InlineData("fd00::1]")]
    [InlineData("[[fd00::1]]")]
    [InlineData("[fd00::1]:80")]
    [InlineData("[fd00::1/64]")]
    [InlineData("[10.0.0.1]")]
    [InlineData("[]")]
    [InlineData("fe80::1%")]
    [InlineData("fe80::1%a/b")]
    [InlineData("fd00::1%lo")]
    [InlineData("10.0.0.1%lo")]
    [InlineData("localhost")]
    [InlineData("*")]
    [InlineData("10.0.0.1\n")]
    public void WrongAddresses(string list)
    {
        foreach (string option in new[] { "--src", "--dst", "--not-src", "--not-dst" })
        {
            Assert.StartsWith(option + " '", Words.Refused("-46", "-s", "22", option, list), StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData("-4", "--src", "fd00::1")]
    [InlineData("-4", "--dst", "10.0.0.1,fd00::1")]
    [InlineData("-4", "-s", "22", "--not-src", "fd00::1")]
    [InlineData("--src", "10.0.0.1", "--dst", "fd00::1")]
    [InlineData("-46", "--src", "10.0.0.1", "--dst", "fd00::1")]
    public void AddressesThatNoConnectionHas(params string[] words) => Words.Refused(words);

    [Theory]
    [InlineData("--not-src", "10.0.0.1")]
    [InlineData("--not-dst", "10.0.0.1")]
    [InlineData("--netns", "x")]
    [InlineData("--all-netns")]
    [InlineData("--no-ack-for", "5s")]
    [InlineData("--idle-by", "both")]
    [InlineData("--method", "kill")]
    [InlineData("--max", "5")]
    [InlineData("--include-own-session")]
    [InlineData("--json")]
    public void NotEnoughToSelect(params string[] words) =>
        Assert.StartsWith("nothing selected", Words.Refused(words), StringComparison.Ordinal);

    [Theory]
    [InlineData("close-wait")]
    [InlineData("time-wait,last-ack")]
    [InlineData("closing", "-t", "0")]
    [InlineData("fin-wait-1", "--last-recv-limit", "5s")]
    [InlineData("fin-wait-2", "--no-ack-for", "5s")]
    public void StatesAfterACloseNeedAnIdleTime(params string[] words) =>
        Assert.Matches("^nothing selected: .* together with -t/--idle-time$", Words.Refused(["--state", .. words]));

    [Theory]
    [InlineData("established")]
    [InlineData("all")]
    [InlineData("bucket")]
    [InlineData("listen")]
    [InlineData("closed")]
    [InlineData("close-wait,established")]
    [InlineData("time-wait,syn-recv")]
    public void OtherStatesAreNotEnoughToSelect(string states)
    {
        Assert.StartsWith("nothing selected: give ", Words.Refused("--state", states), StringComparison.Ordinal);
        Assert.StartsWith("nothing selected: give ", Words.Refused("--state", states, "-t", "5s"), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("--uid", "0")]
    [InlineData("--pid", "1")]
    [InlineData("--comm", "sshd")]
    [InlineData("--interface", "lo")]
    [InlineData("--mark", "1")]
    [InlineData("--cgroup", "/sys/fs/cgroup/x")]
    [InlineData("--src", "10.0.0.1")]
    [InlineData("--state", "time-wait")]
    [InlineData("--state", "TIME_WAIT", "-t", "5s")]
    [InlineData("--state", "close-wait", "-t", "5s")]
    [InlineData("--state", "fin-wait-1,fin-wait-2,last-ack,closing", "--state", "close-wait,time-wait", "-t", "1")]
    public void EnoughToSelect(params string[] words) => Assert.True(Words.Rule(words).Selects);

    [Fact]
    public void Values()
    {
        Rule rule = Words.Rule("--uid", "1000,1", "--uid=root", "--pid", "7", "--pid=8,9", "--comm", "tmux: server,b", "--comm=sshd", "--interface=eth0",
            "--mark", "16", "--mark", "0x10/0xFF", "--mark=0/1", "--cgroup", "/a b", "--netns", "blue", "--netns=pid:9", "--netns", "/run/x");
        Assert.Equal([1000u, 1u, 0u], rule.Uids);
        Assert.Equal([7, 8, 9], rule.Pids);
        Assert.Equal(["tmux: server", "b", "sshd"], rule.Comms);
        Assert.Equal(["eth0"], rule.Interfaces);
        Assert.Equal([new SocketMark(16, uint.MaxValue), new SocketMark(16, 255), new SocketMark(0, 1)], rule.Marks);
        Assert.Equal(["/a b"], rule.Cgroups);
        Assert.Equal(["blue", "pid:9", "/run/x"], rule.Netns);
    }

    [Theory]
    [InlineData("--uid", "")]
    [InlineData("--uid", "-1")]
    [InlineData("--uid", "4294967295")]
    [InlineData("--uid", "4294967296")]
    [InlineData("--uid", "no such user")]
    [InlineData("--uid", "root:x")]
    [InlineData("--uid", "0,")]
    [InlineData("--uid", "0,,1")]
    [InlineData("--pid", ",7")]
    [InlineData("--comm", "a,")]
    [InlineData("--comm", ",a")]
    [InlineData("--pid", "0")]
    [InlineData("--pid", "x")]
    [InlineData("--pid", "2147483648")]
    [InlineData("--comm", "")]
    [InlineData("--comm", "1234567890123456")]
    [InlineData("--interface", "")]
    [InlineData("--interface", "1234567890123456")]
    [InlineData("--interface", "a/b")]
    [InlineData("--mark", "")]
    [InlineData("--mark", "0x")]
    [InlineData("--mark", "-1")]
    [InlineData("--mark", "4294967296")]
    [InlineData("--mark", "0x100000000")]
    [InlineData("--mark", "1/")]
    [InlineData("--mark", "1/x")]
    [InlineData("--mark", "0x100/0xff")]
    [InlineData("--cgroup", "")]
    [InlineData("--netns", "")]
    [InlineData("--netns", "..")]
    [InlineData("--netns", "pid:")]
    [InlineData("--netns", "pid:0")]
    [InlineData("--netns", "pid:x")]
    [InlineData("--netns", "2147483647")]
    [InlineData("--max", "")]
    [InlineData("--max", "-1")]
    [InlineData("--max", "2147483648")]
    [InlineData("--idle-by", "RECV")]
    [InlineData("--method", "")]
    [InlineData("--method", "Kill")]
    [InlineData("--no-ack-for", "50d")]
    [InlineData("--no-ack-for", "x")]
    public void WrongValues(string option, string value) =>
        Assert.StartsWith(option + " '", Words.Refused("-s", "22", option, value), StringComparison.Ordinal);
}
