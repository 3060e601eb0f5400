namespace TcpCloser.Tests.Cli;

/// <summary>Invalid values are refused in one line that names the option and the value.</summary>
public sealed class BadInputTests
{
    [Theory]
    [Values("0", "00", "22x", "x22", "0x16", "65536", "65558", "4294967318", "18446744073709551638", "99999999999999999999999999", "90-80",
        "0-80", "80-65536", "80-", "80--90", "80-90-100", "-", "", ",", "22,", ",22", "22,,80", "+22", " 22", "22 ", "22, 80", "22;80",
        "22 80", "2.2", "1e3", "no-such-service", "ssh-no-such-service", "22-ssh", "*", "\u0662\u0662", "22\n", "22\0", "@22", "[22]")]
    public void Port_InvalidValue_IsRefused(string value)
    {
        foreach (string option in new[] { "-s", "--sport", "-d", "--dport" })
        {
            Assert.StartsWith(option + " ", Words.Refused(option, value), StringComparison.Ordinal);
            Words.Refused("-v", option, value);
            Words.Refused(option, "22", option, value, "-t", "5");
        }
    }

    [Theory]
    [Rows("-s -5", "-s-5", "--sport=-5", "-s -4", "--sport=")]
    [InlineData("--sport", "")]
    public void Port_EmptyOrLooksLikeAnOption_IsRefused(params string[] words) => Words.Refused(words);

    [Theory]
    [Values("-5", "+5", "", "5x", "5 ms", " 5", "5S", "5min", "5ms5s", "1h30m", "ms", ".", ".5", "5.", "1.2.3", "1,5", "1/2", "1e3", "0x10",
        "inf", "nan", "\u0665", "4294967296", "4294967295.1", "50d", "49.72d", "18446744073709551617", "999999999999999999999999d")]
    public void TimeOption_InvalidValue_IsRefusedUnderEachName(string value)
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
    [Values("0", "0s", "0.0", "-1", "abc", "", "1w", "100000000000000000000")]
    public void Interval_InvalidValue_IsRefused(string value)
    {
        Assert.StartsWith("-i", Words.Refused("-s", "22", "-i", value), StringComparison.Ordinal);
        Assert.StartsWith("--interval", Words.Refused("-s", "22", "--interval", value), StringComparison.Ordinal);
    }

    [Theory]
    [Rows("60 | 60", "61 | 60", "1s | 1000", "1m | 59.999s")]
    public void IdleTime_AtOrAboveLastRecvLimit_IsRefused(string idleTime, string limit)
    {
        Assert.Contains("--last-recv-limit", Words.Refused("-s", "22", "-t", idleTime, "--last-recv-limit", limit), StringComparison.Ordinal);
        Words.Refused("--last_recv_limit", limit, "-s", "22", "--idle_time", idleTime);
        Words.Parse("-s", "22", "-t", idleTime, "--last-recv-limit", "0");
    }

    [Theory]
    [Values("", "up", "established,", ",established", " established", "estabs", "close wait", "fin-wait-12", "1", "fin-wait", "exclude")]
    public void State_InvalidValue_IsRefused(string value) =>
        Assert.StartsWith("--state '", Words.Refused("-s", "22", "--state", value), StringComparison.Ordinal);

    [Theory]
    [Values("", "0", "65", "-9", "+9", "9 ", "SIG", "SIGSIGTERM", "SIG15", "NOPE", "4294967305")]
    public void Signal_InvalidValue_IsRefused(string value) =>
        Assert.StartsWith("--signal", Words.Refused("-s", "22", "--use-proc", "--signal", value), StringComparison.Ordinal);

    [Fact]
    public void LogFile_EmptyPath_IsRefused()
    {
        Assert.StartsWith("-f", Words.Refused("-s", "22", "-f", ""), StringComparison.Ordinal);
        Assert.StartsWith("--logfile", Words.Refused("-s", "22", "--logfile="), StringComparison.Ordinal);
    }

    [Theory]
    [Rows("-s | LIST,0,LIST | '0': ports are ", "-d | LIST,9-8 | '9-8': the range ", "--pid | LIST,x | 'x': ", "--uid | LIST,-1 | '-1': ",
        "--dst | 10.0.0.1,10.0.0.300 | '10.0.0.300': ", "--state | listen,up | 'up': ", "--comm | a,1234567890123456,b | '1234567890123456': ")]
    public void List_OneInvalidItem_IsQuotedAlone(string option, string list, string message)
    {
        string value = list.Replace("LIST", string.Join(',', Enumerable.Range(1, 5_000)), StringComparison.Ordinal);
        Assert.StartsWith($"{option} {message}", Words.Refused(option, value), StringComparison.Ordinal);
    }

    [Theory]
    [Rows("-s | 22,,80", "--uid | 0,", "--pid | ,7", "--comm | a,,b", "--dst | 10.0.0.1,", "--state | ,listen")]
    public void List_EmptyItem_IsQuotedWhole(string option, string list) =>
        Assert.StartsWith($"{option} '{list}': an item of the list is empty; ", Words.Refused(option, list), StringComparison.Ordinal);

    [Theory]
    [Values("-s", "-t", "--comm", "--signal=", "--netns=pid:", "--", "--x")]
    public void Value_100000Characters_IsCutInTheMessage(string option)
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
    public void Value_Over60Characters_IsCutInTheMessage()
    {
        Assert.StartsWith($"-t '{new string('x', 60)}': ", Words.Refused("-t", new string('x', 60)), StringComparison.Ordinal);
        Assert.StartsWith($"-t '{new string('x', 60)}...': ", Words.Refused("-t", new string('x', 61)), StringComparison.Ordinal);
    }

    [Fact]
    public void Netns_BareProcessId_IsRefusedNamingThePidForm()
    {
        Assert.Equal("--netns '2147483647': /run/netns/2147483647 does not exist; for the namespace of a process write pid:2147483647",
            Words.Refused("-s22", "--netns", "2147483647"));
        Assert.Equal(["pid:2147483647", "2147483647x", "/2147483647"],
            Words.Rule("-s22", "--netns", "pid:2147483647", "--netns", "2147483647x", "--netns", "/2147483647").Netns);
    }
}
