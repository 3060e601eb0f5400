using System.Globalization;
using System.Text.RegularExpressions;
using TcpCloser.KernelTests.Harness;
using TcpCloser.KernelTests.Harness.Paths;
using Xunit;

namespace TcpCloser.KernelTests;

/// <summary>What a person sees before anything is closed: whose it is, where the idle ones are, and what was not looked at.</summary>
public sealed class LookingTests
{
    private static readonly string s_port = $"{LabProcess.Port}";

    [Fact]
    public void TheTableNamesTheOwnerAndBothClocks()
    {
        using var lab = LabProcess.Start(new LabSurroundings { OwnProcesses = true }, "--count", "2", "--client-process");
        lab.WaitIdle(2, 1100);
        int server = Assert.Single(lab.Processes("server"));

        string[] lines = lab.Tool("-n", "-s", s_port, "-t", "1s").Expect(0).Stdout.TrimEnd('\n').Split('\n');

        Assert.Matches("^LOCAL +PEER +STATE +RECV +SENT +OWNER +ACTION$", lines[0]);
        Assert.Equal(2, lines.Length - 1);
        Assert.All(lines[1..], line => Assert.Matches($@" established +\d+s +\d+s +tcp-closer-lab\[{server}\] +destroy$", line));
    }

    [Fact]
    public void WhatHasNoOwnerIsNotPromisedToAMethodThatNeedsOne()
    {
        using var lab = LabProcess.Start(new LabSurroundings { OwnProcesses = true }, "--count", "2", "--state", "time-wait");
        string[] arguments = ["--method", "disconnect", "-s", s_port, "--state", "time-wait"];

        var table = lab.Tool(["-n", .. arguments]).Expect(1);
        var run = lab.Tool(arguments).Expect(1);

        Assert.Equal(2, Regex.Count(table.Stdout, " none: no process has it open"));
        Assert.Equal((2, 2), (table.Summary("failed"), run.Summary("failed")));
    }

    /// <summary>Who only receives nothing may be sending all the time, as a server of downloads does.</summary>
    [Fact]
    public void WhoHasSentWithinTheIdleTimeIsCountedInOneWarning()
    {
        using var lab = LabProcess.Start("--count", "3", "--busy", "1", "--talker", "server");
        lab.WaitIdle(2, 600);

        var result = lab.Tool("-n", "-s", s_port, "-t", "500ms").Expect(0);

        Assert.Single(result.Log, line => line.EndsWith(
            " warning 1 connection has sent data within the idle time: --idle-by both leaves it alone", StringComparison.Ordinal));
        Assert.DoesNotContain(lab.Tool("-n", "-s", s_port, "-t", "500ms", "--idle-by", "both").Expect(0).Log,
            line => line.Contains(" warning ", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("port", "5000")]
    [InlineData("peer", "127.0.0.1")]
    [InlineData("process", @"tcp-closer-lab\[\d+\]")]
    [InlineData("uid", "0")]
    [InlineData("state", "established")]
    [InlineData("netns", "self")]
    public void GroupsCountEveryConnectionAndCloseNone(string by, string key)
    {
        using var lab = LabProcess.Start("--count", "3");

        var result = lab.Tool("--group-by", by).Expect(0);

        Assert.Matches($"(?m)^{key} +6 +6 +0 +0 +0 +0 +", result.Stdout); // both ends are here
        Assert.Equal(3, lab.State()["server", "alive"]);
    }

    [Fact]
    public void AProcessInAnotherNamespaceIsNamedWithTheOptionThatFindsIt()
    {
        using var here = LabProcess.Start("--count", "0");
        using var there = LabProcess.Start("--count", "1");

        var result = here.Tool("--pid", $"{there.Id}").Expect(0);

        Assert.Contains(result.Log, line => line.EndsWith($" info pid {there.Id} is in another network namespace: add --netns pid:{there.Id}", StringComparison.Ordinal));
        Assert.Equal(1, there.State()["server", "alive"]);
    }

    [Fact]
    public void TheOtherFamilyIsCounted()
    {
        using var lab = LabProcess.Start("--count", "2", "--family", "v6");

        Assert.Contains(lab.Tool("-s", s_port).Expect(0).Log, line => line.EndsWith(" info 2 IPv6 connections match: add -6", StringComparison.Ordinal));
        Assert.Empty(lab.Tool("-q", "-s", s_port).Expect(0).Stderr);
    }

    [Fact]
    public void AQuietRunSaysNothingUntilSomethingIsWrong()
    {
        using var lab = LabProcess.Start("--count", "2");
        using TemporaryFolder folder = new();
        string log = folder.File("log");

        var refused = lab.Tool("-q", "-s", s_port, "--max", "1", "-f", log).Expect(4);
        string told = File.ReadAllText(log);
        var closed = lab.Tool("-q", "-s", s_port, "--max", "2", "-f", log).Expect(0);

        Assert.Contains(" error refused: 2 connections ", refused.Stderr, StringComparison.Ordinal);
        Assert.Equal(refused.Stderr, told);
        Assert.Empty(closed.Stderr);
        Assert.Equal(told, File.ReadAllText(log));
        Assert.Equal(2, lab.State()["server", "aborted"]);
    }

    [Fact]
    public void EveryLineAndRecordHasTheNameOfTheRun()
    {
        using var lab = LabProcess.Start(new LabSurroundings { OwnProcesses = true }, "--count", "2");

        var result = lab.Tool("--name", "dead ssh", "--json", "-v", "-s", s_port).Expect(0);

        Assert.All(result.Log, line => Assert.EndsWith(" rule=\"dead ssh\"", line, StringComparison.Ordinal));
        Assert.All(result.Destroyed, line => Assert.Matches(@" pid=\d+ comm=tcp-closer-lab ", line)); // -v looks for the owners
        Assert.All(result.Stdout.TrimEnd('\n').Split('\n'), line => Assert.Contains("\"rule\":\"dead ssh\"", line, StringComparison.Ordinal));
    }

    /// <summary>Where stderr is what JOURNAL_STREAM names, the journal has the time and passes lines on itself.</summary>
    [Theory]
    [InlineData("$(stat -Lc %d:%i {0})", true)]
    [InlineData("1:1", false)] // inherited, and something else
    public void LinesForTheJournalHaveAPriorityAndNoTime(string stream, bool isJournal)
    {
        using var lab = LabProcess.Start("--count", "1");
        using TemporaryFolder folder = new();
        string log = folder.File("log");
        string name = string.Format(CultureInfo.InvariantCulture, stream, log);
        string script = $"touch {log}; export JOURNAL_STREAM={name}; exec \"$@\" 2>>{log}";

        new ToolRun(lab) { Wrapper = ["sh", "-c", script, "sh"], Arguments = ["-s", s_port, "--disable-syslog"] }.Run().Expect(0);

        string[] lines = File.ReadAllLines(log);
        Assert.Equal(3, lines.Length);
        Assert.All(lines, line => Assert.Matches(isJournal ? "^<6>[a-z]" : @"^\d{4}-.* info ", line));
    }

    [Fact]
    public void USR1TellsTheTotalsAndTheServiceGoesOn()
    {
        using var lab = LabProcess.Start("--count", "2");
        using var service = new ToolRun(lab) { Arguments = ["-s", s_port, "-i", "50ms", "--disable-syslog"] }.Start();
        lab.WaitEnded(2);

        service.Signal("USR1");
        Until.True(() => Regex.IsMatch(service.Stderr, @" totals rounds=\d+ matched=2 idle=2 closed=2 "), "the totals");
        Assert.False(service.HasExited);
        service.Signal("TERM");
        service.WaitForEnd().Expect(0);
    }

    [Theory]
    [InlineData("lo", 2)]
    [InlineData("eth9", 0)]
    public void ALinkLocalAddressOfOneDevice(string device, int closed)
    {
        using var lab = LabProcess.Start("--count", "0");
        Command.Run([.. lab.Inside(), "ip", "-6", "addr", "add", "fe80::77/64", "dev", "lo", "nodad"]).Expect(0);
        using var ends = SocketProcess.Start(lab.Inside());
        _ = ends.Ask("listen fe80::77%lo 6000");
        _ = ends.Connect("fe80::77%lo 6000 2");

        Assert.Equal(closed, lab.Tool("-s", "6000", "--src", $"fe80::77%{device}").Expect(0).Summary("closed"));
    }
}
