using System.Net.Sockets;
using System.Text.RegularExpressions;
using TcpCloser.KernelTests.Harness;
using Xunit;

namespace TcpCloser.KernelTests;

/// <summary>Syslog over /dev/log: there, not there, not reading, of another type, started anew. It is never waited for.</summary>
public sealed partial class SyslogTests
{
    private static readonly string s_port = $"{LabProcess.Port}";

    [Fact]
    public void EveryLogLineIsADatagram()
    {
        using var lab = LabProcess.Start(SyslogDaemon.Surroundings, "--count", "3");
        using SyslogDaemon daemon = new(lab);

        var result = Run(lab, "-s", s_port).Expect(0);

        var datagrams = daemon.Receive();
        Assert.All(datagrams, datagram => Assert.Matches(Datagram(), datagram));
        // The line without its time and level is the datagram without its head.
        Assert.Equal(result.Log.Select(line => line.Split(' ', 3)[2]), datagrams.Select(datagram => datagram[(datagram.IndexOf("]: ", StringComparison.Ordinal) + 3)..]));
        Assert.Equal(3, result.Summary("closed"));
    }

    [Theory]
    [InlineData("--disable-syslog")]
    [InlineData("--disable_syslog")]
    [InlineData("--dry-run")]
    public void NothingIsSentWhereNothingShallBe(string option)
    {
        using var lab = LabProcess.Start(SyslogDaemon.Surroundings, "--count", "1");
        using SyslogDaemon daemon = new(lab);

        Run(lab, "-s", s_port, option).Expect(0);

        Assert.Empty(daemon.Receive());
    }

    [Fact]
    public void NoDaemonIsNoError()
    {
        using var lab = LabProcess.Start(SyslogDaemon.Surroundings, "--count", "3");

        var result = Run(lab, "-s", s_port).Expect(0);

        Assert.DoesNotContain("syslog", result.Stderr, StringComparison.Ordinal);
        Assert.Equal(3, lab.State()["server", "aborted"]);
    }

    [Fact]
    public void WhatADaemonDoesNotReadIsCountedAndNotWaitedFor()
    {
        using var lab = LabProcess.Start(SyslogDaemon.Surroundings, "--count", "2000");
        using SyslogDaemon daemon = new(lab);

        var result = Run(lab, "-s", s_port).Expect(0);

        Assert.Equal(2000, lab.State()["server", "aborted"]);
        string complaint = Assert.Single(result.Log, line => line.Contains("syslog", StringComparison.Ordinal));
        int arrived = daemon.Receive().Count;
        Assert.Contains($" {result.Log.Length - 1 - arrived} ", complaint, StringComparison.Ordinal);
    }

    [Fact]
    public void ASocketOfAnotherTypeIsNoReasonToFail()
    {
        using var lab = LabProcess.Start(SyslogDaemon.Surroundings, "--count", "3");
        using SyslogDaemon daemon = new(lab, SocketType.Stream);

        var result = Run(lab, "-s", s_port).Expect(0);

        Assert.Equal(3, lab.State()["server", "aborted"]);
        Assert.Single(result.Log, line => line.Contains("syslog", StringComparison.Ordinal));
    }

    [Fact]
    public void ADaemonThatWasStartedAnewIsFoundAgain()
    {
        using var lab = LabProcess.Start(SyslogDaemon.Surroundings, "--count", "2", "--busy", "1");
        SyslogDaemon daemon = new(lab);
        using var service = new ToolRun(lab) { Arguments = ["-s", s_port, "-t", "400", "-i", "50ms"] }.Start();
        lab.WaitEnded(1);
        Until.True(() => daemon.Receive().Exists(datagram => datagram.Contains("destroyed", StringComparison.Ordinal)), "the first datagram");

        daemon.Dispose();
        using SyslogDaemon anew = new(lab);
        lab.Ask("busy-off");

        Until.True(() => anew.Receive().Exists(datagram => datagram.Contains("destroyed", StringComparison.Ordinal)), "a datagram to the new daemon");
        service.Signal("TERM");
        service.WaitForEnd().Expect(0);
    }

    /// <summary>Between the end of a daemon and the start of the next there is none: a service outlives that.</summary>
    [Fact]
    public void ADaemonThatComesLaterIsFound()
    {
        using var lab = LabProcess.Start(SyslogDaemon.Surroundings, "--count", "2", "--busy", "1");
        using var service = new ToolRun(lab) { Arguments = ["-s", s_port, "-t", "1500", "-i", "50ms"] }.Start();
        lab.WaitEnded(1); // told to nobody

        using SyslogDaemon daemon = new(lab);
        lab.Ask("busy-off");

        Until.True(() => daemon.Receive().Exists(datagram => datagram.Contains("destroyed", StringComparison.Ordinal)), "a datagram to the late daemon");
        service.Signal("TERM");
        service.WaitForEnd().Expect(0);
    }

    private static Result Run(LabProcess lab, params string[] arguments) => new ToolRun(lab) { Arguments = arguments }.Run();

    [GeneratedRegex(@"^<30>[A-Z][a-z]{2} [ 1-3]\d \d\d:\d\d:\d\d tcp-closer\[\d+\]: \S")]
    private static partial Regex Datagram();
}
