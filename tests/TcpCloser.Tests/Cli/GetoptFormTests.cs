namespace TcpCloser.Tests.Cli;

/// <summary>The option forms that getopt_long(3) accepted from users of the C tool.</summary>
public sealed class GetoptFormTests
{
    [Theory]
    [Rows("22 | -s22", "4 | -s4", "6 | -s6", "44 | -s44", "64 | -s64", "22,80 | -s22,80", "22-80 | -s22-80", "22 | -vs22", "22 | -4vs22",
        "22 | -4vs 22", "22 | --sport=22", "22 | --sport 22", "22,80 | -s 22 -s 80", "22,80,443 | -s22 --sport=80 --sport 443",
        "80,22 | -s 80 -s 22", "22,22 | -s 22 -s 22", "22 | -s 00022", "1-65535 | -s 1-65535", "5 | -s 5-5")]
    public void SourcePort_EachForm_IsParsed(string ports, params string[] words) =>
        Assert.Equal(ports, Words.Text(Words.Rule(words).SourcePorts));

    [Fact]
    public void ShortOptions_InOneWord_AllApply()
    {
        (Rule rule, RunOptions run) = Words.Parse("-46vns22", "-d80");
        Assert.Equal((Families.IPv4 | Families.IPv6, true, true), (rule.Families, run.Verbose, run.DryRun));
        Assert.Equal(("22", "80"), (Words.Text(rule.SourcePorts), Words.Text(rule.DestinationPorts)));
    }

    [Theory]
    [Rows("/var/log/x | -f/var/log/x", "/var/log/x | -vf/var/log/x", "/var/log/x | -f /var/log/x", "/var/log/x | --logfile=/var/log/x",
        "a=b | -fa=b", "a:b | -fa:b", "/a=b:c | -f /a=b:c", "a=b | --logfile=a=b", "a:b=c | --logfile=a:b=c", "a:b | --logfile a:b",
        "tcp-closer | -f tcp-closer", "tcp-closer | -ftcp-closer", "@file | -f @file", "@file | -f@file", "[x] | -f [x]", "- | -f -",
        "true | -f true", "second | -f first -f second", "s22 | -fs22", "v | -fv")]
    public void LogFile_EachForm_IsTakenLiterally(string path, params string[] words)
    {
        Assert.Equal(path, Words.Run([.. words, "-s", "22"]).LogFile);
        Assert.Equal(path, Words.Run(["-s", "22", .. words]).LogFile);
    }

    [Theory]
    [Rows("6 | -t 5 -t 6", "6 | -t5 -t6", "6 | --idle-time=5 --idle_time 6", "5 | -t 6 -t 5", "0 | -t 6 -t 0")]
    public void IdleTime_GivenTwice_LastOneCounts(int milliseconds, params string[] words) =>
        Assert.Equal(TimeSpan.FromMilliseconds(milliseconds), Words.Rule([.. words, "-s", "22"]).IdleTime);

    [Fact]
    public void IntervalLimitAndSignal_GivenTwice_LastOneCounts()
    {
        (Rule rule, RunOptions run) = Words.Parse("-i5", "-s22", "-i", "6", "--last-recv-limit", "8", "--last_recv_limit=9", "--use-proc",
            "--signal", "TERM", "--signal=HUP");
        Assert.Equal((TimeSpan.FromSeconds(6), TimeSpan.FromMilliseconds(9), 1), (run.Interval, rule.LastRecvLimit, rule.Signal));
    }

    [Fact]
    public void IdleTime_OverriddenButInvalid_IsRefused() => Words.Refused("-s", "22", "-t", "x", "-t", "6");

    [Fact]
    public void Flag_Repeated_IsAccepted() => Assert.True(Words.Run("-v", "-v", "-vv", "-s22").Verbose);

    /// <summary>The number of ports is unlimited.</summary>
    [Theory]
    [Rows("65535 | true | false", "120000 | true | false", "120000 | false | false", "65535 | true | true")]
    public void Port_ManyValues_KeepsEveryPortInOrder(int count, bool isSource, bool isList)
    {
        int[] ports = [.. Enumerable.Range(0, count).Select(static i => i % 65_535 + 1)];
        string option = isSource ? "-s" : "-d";
        Rule rule = Words.Rule(isList ? [option, string.Join(',', ports)] : [.. ports.Select(port => $"{option}{port}")]);
        Assert.Equal(ports.Select(static port => new PortRange((ushort)port, (ushort)port)), isSource ? rule.SourcePorts : rule.DestinationPorts);
        Assert.StartsWith("-s '0':", Words.Refused([.. ports.Select(static port => $"-s{port}"), "-s0"]), StringComparison.Ordinal);
    }
}
