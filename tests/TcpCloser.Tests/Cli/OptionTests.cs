using TcpCloser.Cli;

namespace TcpCloser.Tests.Cli;

/// <summary>Every documented option under each of its names, before and after the others.</summary>
public sealed class OptionTests
{
    /// <summary>Ways to write an option, the property that it sets, and its value.</summary>
    private static readonly (string[] Ways, Func<Rule, RunOptions, object?> Get, object? Value)[] s_options =
    [
        (["-4"], static (rule, _) => rule.Families, Families.IPv4),
        (["-6"], static (rule, _) => rule.Families, Families.IPv6),
        (["-4 -6"], static (rule, _) => rule.Families, Families.IPv4 | Families.IPv6),
        (["-d 80,8000-8999", "--dport 80,8000-8999"], static (rule, _) => Words.Text(rule.DestinationPorts), "80,8000-8999"),
        (["-t 60", "--idle-time 60", "--idle_time 60"], static (rule, _) => rule.IdleTime, TimeSpan.FromMilliseconds(60)),
        (["--last-recv-limit 60", "--last_recv_limit 60"], static (rule, _) => rule.LastRecvLimit, TimeSpan.FromMilliseconds(60)),
        (["--no-ack-for 2m"], static (rule, _) => rule.NoAckFor, TimeSpan.FromMinutes(2)),
        (["-i 60", "--interval 60"], static (_, run) => run.Interval, TimeSpan.FromSeconds(60)),
        (["-f /var/log/x", "--logfile /var/log/x"], static (_, run) => run.LogFile, "/var/log/x"),
        (["-v", "--verbose"], static (_, run) => run.Verbose, true),
        (["-n", "--dry-run"], static (_, run) => run.DryRun, true),
        (["--json"], static (_, run) => run.Json, true),
        (["--check"], static (_, run) => run.Check, true),
        (["--disable-syslog", "--disable_syslog"], static (_, run) => run.Syslog, false),
        (["--all-netns"], static (rule, _) => rule.AllNetns, true),
        (["--include-own-session"], static (rule, _) => rule.IncludeOwnSession, true),
        (["--state close-wait"], static (rule, _) => rule.States, 1u << 8),
        (["--idle-by recv"], static (rule, _) => rule.IdleBy, IdleBy.Recv),
        (["--idle-by send"], static (rule, _) => rule.IdleBy, IdleBy.Send),
        (["--idle-by both"], static (rule, _) => rule.IdleBy, IdleBy.Both),
        (["--max 0"], static (rule, _) => rule.Max, 0),
        (["--max=5 --max=100"], static (rule, _) => rule.Max, 100),
        (["--method disconnect", "--use-proc --method disconnect"], static (rule, _) => rule.Method, Method.Disconnect),
        (["--method disconnect --use_proc"], static (rule, _) => rule.Method, Method.Kill),
        (["--use-proc", "--use_proc"], static (rule, _) => (rule.Method, rule.Signal), (Method.Kill, 9)),
        (["--use-proc --grace 5s"], static (rule, _) => (rule.Grace, rule.Signal), ((TimeSpan?)TimeSpan.FromSeconds(5), 15)),
        (["--use-proc --grace=5s --signal=HUP", "--use-proc --signal hup", "--signal 1 --use-proc"], static (rule, _) => rule.Signal, 1),
        (["--signal TERM --use-proc", "--use_proc --signal SIGTERM", "--use-proc --signal sigterm"], static (rule, _) => rule.Signal, 15),
        (["--use-proc --signal SIGUSR2"], static (rule, _) => rule.Signal, 12),
        (["--use-proc --signal SYS"], static (rule, _) => rule.Signal, 31),
        (["--use-proc --signal 64"], static (rule, _) => rule.Signal, 64),
    ];

    [Fact]
    public void Option_UnderEachNameInAnyPlace_SetsItsProperty() => Assert.All(s_options, static option =>
    {
        foreach (string[] words in option.Ways.Select(static way => way.Split(' ')))
        {
            foreach (string[] line in (string[][])[[.. words, "-s", "22"], ["-s", "22", .. words], [.. words, "-s", "22", "--"]])
            {
                (Rule rule, RunOptions run) = Words.Parse(line);
                Assert.Equal(option.Value, option.Get(rule, run));
                Assert.Equal("22", Words.Text(rule.SourcePorts));
            }
        }
    });

    [Fact]
    public void MethodName_EachMethod_IsTheWordOfTheOption() => Assert.All(
        Enum.GetValues<Method>(), static method => Assert.Equal(method, Words.Rule("-s22", "--method", MethodName.Of(method)).Method));

    [Fact]
    public void Ports_SourceAndDestination_AreKeptApart()
    {
        Rule rule = Words.Rule("-s", "1", "-d", "2", "--sport", "22,443,8000-8999", "--dport", "4");
        Assert.Equal(("1,22,443,8000-8999", "2,4"), (Words.Text(rule.SourcePorts), Words.Text(rule.DestinationPorts)));
    }

    [Theory]
    [Rows("--grace 5s", "--grace 5s --method destroy", "--signal TERM", "--signal=9", "--signal TERM --method disconnect",
        "--use-proc --grace 5s --method auto")]
    public void KillOption_OtherMethod_IsRefused(params string[] words)
    {
        Assert.Contains("--method kill", Words.Refused(["-s", "22", .. words]), StringComparison.Ordinal);
        Words.Refused([.. words, "-s", "22"]);
    }

    [Theory]
    [Rows("-h | tcp-closer finds dead TCP connections", "--help | tcp-closer finds dead TCP connections", "--version | tcp-closer ")]
    public void HelpOrVersion_AmongOtherOptions_IsPrintedAlone(string option, string start)
    {
        Assert.StartsWith(start, TextOf(option), StringComparison.Ordinal);
        Assert.Equal(TextOf(option), TextOf("-s", "22", option));
        Assert.Equal(TextOf(option), TextOf(option, "-s", "nonsense"));
    }

    [Fact]
    public void Defaults_OnlyAPortGiven_AreAsDocumented()
    {
        (Rule rule, RunOptions run) = Words.Parse("-s", "22");
        Assert.Equal((Families.IPv4, 1u << 1, MethodName.Default), (rule.Families, rule.States, rule.Method));
        Assert.Equal((TimeSpan.Zero, TimeSpan.Zero, null), (rule.IdleTime, rule.LastRecvLimit, rule.Max));
        Assert.False(rule.ConsultsClocks || rule.AllNetns || rule.IncludeOwnSession);
        Assert.Empty(rule.DestinationPorts);
        Assert.Equal((null, null, true), (run.Interval, run.LogFile, run.Syslog));
        Assert.False(run.Verbose || run.DryRun || run.Json || run.Check);
    }

    [Theory]
    [Rows("-t 1", "--last-recv-limit 1", "--no-ack-for 2m")]
    public void TimeOption_Given_ConsultsTheClocks(params string[] words) => Assert.True(Words.Rule(["-s", "22", .. words]).ConsultsClocks);

    private static string TextOf(params string[] words)
    {
        Assert.Null(CommandLine.Parse(words, out string? text));
        return Assert.IsType<string>(text);
    }
}
