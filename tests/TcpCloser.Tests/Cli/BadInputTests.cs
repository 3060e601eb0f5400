using TcpCloser.Tests.Support;

namespace TcpCloser.Tests.Cli;

/// <summary>Whatever cannot be meant is refused, in one line that names the option and the value.</summary>
public sealed class BadInputTests
{
    [Theory]
    [InlineData("0")]
    [InlineData("00")]
    [InlineData("22x")]
    [InlineData("x22")]
    [InlineData("0x16")]
    [InlineData("65536")]
    [InlineData("65558")]
    [InlineData("4294967318")]
    [InlineData("18446744073709551638")]
    [InlineData("99999999999999999999999999")]
    [InlineData("90-80")]
    [InlineData("0-80")]
    [InlineData("80-65536")]
    [InlineData("80-")]
    [InlineData("80--90")]
    [InlineData("80-90-100")]
    [InlineData("-")]
    [InlineData("")]
    [InlineData(",")]
    [InlineData("22,")]
    [InlineData(",22")]
    [InlineData("22,,80")]
    [InlineData("+22")]
    [InlineData(" 22")]
    [InlineData("22 ")]
    [InlineData("22, 80")]
    [InlineData("22;80")]
    [InlineData("22 80")]
    [InlineData("2.2")]
    [InlineData("1e3")]
    [InlineData("no-such-service")]
    [InlineData("ssh-no-such-service")]
    [InlineData("22-ssh")]
    [InlineData("*")]
    [InlineData("\u0662\u0662")]
    [InlineData("22\n")]
    [InlineData("22\0")]
    [InlineData("@22")]
    [InlineData("[22]")]
    public void Ports(string value)
    {
        foreach (string option in new[] { "-s", "--sport", "-d", "--dport" })
        {
            Assert.StartsWith(option + " ", Words.Refused(option, value), StringComparison.Ordinal);
            Words.Refused("-v", option, value);
            Words.Refused(option, "22", option, value, "-t", "5");
        }
    }

    [Theory]
    [InlineData("-s", "-5")]
    [InlineData("-s-5")]
    [InlineData("--sport=-5")]
    [InlineData("-s", "-4")]
    [InlineData("--sport=")]
    [InlineData("--sport", "")]
    public void PortsThatLookLikeOptions(params string[] words) => Words.Refused(words);

    [Theory]
    [InlineData("-5")]
    [InlineData("+5")]
    [InlineData("")]
    [InlineData("5x")]
    [InlineData("5 ms")]
    [InlineData(" 5")]
    [InlineData("5S")]
    [InlineData("5min")]
    [InlineData("5ms5s")]
    [InlineData("1h30m")]
    [InlineData("ms")]
    [InlineData(".")]
    [InlineData(".5")]
    [InlineData("5.")]
    [InlineData("1.2.3")]
    [InlineData("1,5")]
    [InlineData("1/2")]
    [InlineData("1e3")]
    [InlineData("0x10")]
    [InlineData("inf")]
    [InlineData("nan")]
    [InlineData("\u0665")]
    [InlineData("4294967296")]
    [InlineData("4294967295.1")]
    [InlineData("50d")]
    [InlineData("49.72d")]
    [InlineData("18446744073709551617")]
    [InlineData("999999999999999999999999d")]
    public void IdleTimes(string value)
    {
        foreach (string option in new[] { "-t", "--idle-time", "--idle_time", "--last-recv-limit", "--last_recv_limit" })
        {
            string message = Words.Refused("-s", "22", option, value);
            Words.Refused(option, value, "-s", "22");
            Words.Refused("-s", "22", option + (option == "-t" ? "" : "=") + value);
            Assert.StartsWith(option, message, StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData("0")]
    [InlineData("0s")]
    [InlineData("0.0")]
    [InlineData("-1")]
    [InlineData("abc")]
    [InlineData("")]
    [InlineData("1w")]
    [InlineData("100000000000000000000")]
    public void Intervals(string value)
    {
        foreach (string option in new[] { "-i", "--interval" })
        {
            Assert.StartsWith(option, Words.Refused("-s", "22", option, value), StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData("60", "60")]
    [InlineData("61", "60")]
    [InlineData("1s", "1000")]
    [InlineData("1m", "59.999s")]
    public void AnIdleTimeAtOrAboveTheLimit(string idleTime, string limit)
    {
        Assert.Contains("--last-recv-limit", Words.Refused("-s", "22", "-t", idleTime, "--last-recv-limit", limit), StringComparison.Ordinal);
        Words.Refused("--last_recv_limit", limit, "-s", "22", "--idle_time", idleTime);
        Words.Parse("-s", "22", "-t", idleTime, "--last-recv-limit", "0");
    }

    [Theory]
    [InlineData("")]
    [InlineData("up")]
    [InlineData("established,")]
    [InlineData(",established")]
    [InlineData(" established")]
    [InlineData("estabs")]
    [InlineData("close wait")]
    [InlineData("fin-wait-12")]
    [InlineData("1")]
    [InlineData("fin-wait")]
    [InlineData("exclude")]
    public void States(string value) =>
        Assert.StartsWith("--state '", Words.Refused("-s", "22", "--state", value), StringComparison.Ordinal);

    [Theory]
    [InlineData("")]
    [InlineData("0")]
    [InlineData("65")]
    [InlineData("-9")]
    [InlineData("+9")]
    [InlineData("9 ")]
    [InlineData("SIG")]
    [InlineData("SIGSIGTERM")]
    [InlineData("SIG15")]
    [InlineData("NOPE")]
    [InlineData("4294967305")]
    public void Signals(string value) =>
        Assert.StartsWith("--signal", Words.Refused("-s", "22", "--use-proc", "--signal", value), StringComparison.Ordinal);

    [Theory]
    [InlineData("--signal", "TERM", "-s", "22")]
    [InlineData("-s", "22", "--signal=9")]
    public void ASignalWithoutKill(params string[] words) =>
        Assert.Contains("--signal", Words.Refused(words), StringComparison.Ordinal);

    [Theory]
    [InlineData]
    [InlineData("--")]
    [InlineData("-4")]
    [InlineData("-6v")]
    [InlineData("-t", "5")]
    [InlineData("--state", "close-wait")]
    [InlineData("-n")]
    [InlineData("-i", "5")]
    [InlineData("--use-proc")]
    public void NothingSelected(params string[] words) =>
        Assert.StartsWith("nothing selected", Words.Refused(words), StringComparison.Ordinal);

    [Fact]
    public void AnEmptyLogFile()
    {
        Assert.StartsWith("-f", Words.Refused("-s", "22", "-f", ""), StringComparison.Ordinal);
        Assert.StartsWith("--logfile", Words.Refused("-s", "22", "--logfile="), StringComparison.Ordinal);
    }

    [Fact]
    public void AWrongItemOfALongListIsShownAlone()
    {
        string list = string.Join(',', Enumerable.Range(1, 5_000));
        Assert.StartsWith("-s '0': ports are ", Words.Refused("-s", list + ",0," + list), StringComparison.Ordinal);
        Assert.StartsWith("-d '9-8': the range ", Words.Refused("-d", list + ",9-8"), StringComparison.Ordinal);
        Assert.StartsWith("--pid 'x': ", Words.Refused("--pid", list + ",x"), StringComparison.Ordinal);
        Assert.StartsWith("--uid '-1': ", Words.Refused("--uid", list + ",-1"), StringComparison.Ordinal);
        Assert.StartsWith("--dst '10.0.0.300': ", Words.Refused("--dst", "10.0.0.1,10.0.0.300"), StringComparison.Ordinal);
        Assert.StartsWith("--state 'up': ", Words.Refused("-s22", "--state", "listen,up"), StringComparison.Ordinal);
        Assert.StartsWith("--comm '1234567890123456': ", Words.Refused("--comm", "a,1234567890123456,b"), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("-s", "22,,80")]
    [InlineData("--uid", "0,")]
    [InlineData("--pid", ",7")]
    [InlineData("--comm", "a,,b")]
    [InlineData("--dst", "10.0.0.1,")]
    [InlineData("--state", ",listen")]
    public void AnEmptyItemIsShownByItsList(string option, string list) =>
        Assert.StartsWith($"{option} '{list}': a comma has nothing before or behind it; ", Words.Refused(option, list), StringComparison.Ordinal);

    [Theory]
    [InlineData("-s")]
    [InlineData("-t")]
    [InlineData("--comm")]
    [InlineData("--signal=")]
    [InlineData("--netns=pid:")]
    [InlineData("--")]
    [InlineData("--x")]
    public void ALongValueIsCut(string option)
    {
        foreach (string letter in new[] { "x", "\U0001f642", "y\U0001f642", "\n" })
        {
            string value = string.Concat(Enumerable.Repeat(letter, 100_000));
            string message = option.Length < 3 || option == "--comm" ? Words.Refused(option, value) : Words.Refused(option + value);
            Assert.InRange(message.Length, 1, 1_000);
            Assert.Contains("...': ", message, StringComparison.Ordinal);
            Assert.DoesNotContain("\\xEF\\xBF\\xBD", message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void AValueOfSixtyCharactersIsNotCut()
    {
        Assert.StartsWith($"-t '{new string('x', 60)}': ", Words.Refused("-t", new string('x', 60)), StringComparison.Ordinal);
        Assert.StartsWith($"-t '{new string('x', 60)}...': ", Words.Refused("-t", new string('x', 61)), StringComparison.Ordinal);
    }

    [Fact]
    public void ABareProcessIdIsNoNamespace()
    {
        Assert.Equal("--netns '2147483647': there is no /run/netns/2147483647; the namespace of a process is written pid:2147483647",
            Words.Refused("-s22", "--netns", "2147483647"));
        Assert.Equal(["pid:2147483647", "2147483647x", "/2147483647"],
            Words.Rule("-s22", "--netns", "pid:2147483647", "--netns", "2147483647x", "--netns", "/2147483647").Netns);
    }
}
