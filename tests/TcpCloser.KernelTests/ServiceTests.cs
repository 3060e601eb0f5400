using TcpCloser.KernelTests.Harness;
using Xunit;

namespace TcpCloser.KernelTests;

/// <summary>Service mode: rounds at their times, quiet without news, a clean end.</summary>
public sealed class ServiceTests
{
    private const int IdleMs = 400;

    [Theory]
    [InlineData("TERM")]
    [InlineData("INT")]
    public void WhatBecomesIdleIsClosedAndTheTotalsComeAtTheEnd(string signal)
    {
        using var lab = LabProcess.Start("--count", "6", "--busy", "3");
        using var service = Start(lab, "-i", "50ms", "-t", $"{IdleMs}");

        lab.WaitEnded(3);
        Assert.All(lab.List(), connection => Assert.Equal(connection.Index < 3 ? "aborted" : "alive", connection.Server.View));
        lab.Ask("busy-off");
        lab.WaitEnded(6);
        service.Signal(signal);

        var result = service.WaitForEnd().Expect(0);
        Assert.Equal(6, result.Destroyed.Length);
        Assert.Equal(6, result.Summary("closed"));
        Assert.Contains("totals", result.Log[^1], StringComparison.Ordinal);
    }

    /// <summary>It does not wait the hour out, or the test would.</summary>
    [Fact]
    public void ASignalEndsItWhereverItWaits()
    {
        using var lab = LabProcess.Start("--count", "1");
        using var service = Start(lab, "-i", "1h", "-v", "-t", "1h");
        Until.True(() => service.Stderr.Contains("matched=1", StringComparison.Ordinal), "the first round");

        service.Signal("TERM");
        service.WaitForEnd().Expect(0);
    }

    /// <summary>What else would end it ends it in the same way, but for the exit status.</summary>
    [Theory]
    [InlineData("QUIT")]
    [InlineData("USR2")]
    [InlineData("ALRM")]
    [InlineData("XCPU")]
    [InlineData("64")]
    public void AnotherSignalThatWouldEndItEndsItWithTheTotals(string signal)
    {
        using var lab = LabProcess.Start("--count", "2");
        using var service = Start(lab, "-i", "1h");
        lab.WaitEnded(2);
        Until.True(() => Summaries(service).Length > 0, "the first round");

        service.Signal(signal);

        var result = service.WaitForEnd().Expect(1);
        Assert.Contains("stopping on ", result.Log[^2], StringComparison.Ordinal);
        Assert.Contains("totals rounds=1 ", result.Log[^1], StringComparison.Ordinal);
        Assert.Equal(2, result.Summary("closed"));
    }

    [Fact]
    public void RoundsWithoutNewsSayNothing()
    {
        using var lab = LabProcess.Start("--count", "3");
        using TemporaryFolder folder = new();
        Strace strace = new(folder.File("trace"));
        using var service = new ToolRun(lab)
        {
            Wrapper = strace.Wrapper,
            Arguments = ["-s", $"{LabProcess.Port}", "-t", "1h", "-i", "20ms", "--disable-syslog"],
        }.Start();
        Until.True(() => strace.Sends > 20, "a number of rounds");
        Strace.Signal(service, "TERM");

        var result = service.WaitForEnd().Expect(0);
        Assert.DoesNotContain(result.Log, line => line.Contains("summary", StringComparison.Ordinal));
        Assert.InRange(result.Log.Length, 2, 3); // what it does; that and how it ends
    }

    /// <summary>The kernel is told the interval once, and counts it from then on, however long a round takes.</summary>
    [Fact]
    public void RoundsDoNotDrift()
    {
        using var lab = LabProcess.Start("--count", "1");
        using TemporaryFolder folder = new();
        string trace = folder.File("trace");
        using var service = new ToolRun(lab)
        {
            Wrapper = ["strace", "-f", "-o", trace, "-e", "trace=timerfd_create,timerfd_settime,timer_settime,setitimer,nanosleep,clock_nanosleep"],
            Arguments = ["-v", "-s", $"{LabProcess.Port}", "-t", "1h", "-i", "1.25s", "--disable-syslog"],
        }.Start();
        Until.True(() => Summaries(service).Length >= 4, "four rounds");
        Strace.Signal(service, "TERM");
        service.WaitForEnd().Expect(0);

        string[] calls = [.. File.ReadLines(trace).Where(static line => line.Contains('('))];
        Assert.Equal(2, calls.Length);
        Assert.Matches(@"timerfd_create\(CLOCK_MONOTONIC, .*\) = \d+", calls[0]);
        Assert.Contains(", 0, {it_interval={tv_sec=1, tv_nsec=250000000}, it_value={tv_sec=1, tv_nsec=250000000}}, NULL) = 0", calls[1], StringComparison.Ordinal);
    }

    [Fact]
    public void AFailingRoundIsLoggedAndTheNextOneTried()
    {
        using var lab = LabProcess.Start("--count", "2");
        using TemporaryFolder folder = new();
        using var service = new ToolRun(lab)
        {
            Wrapper = new Strace(folder.File("trace")).Injecting("error=ENOMEM:when=5"),
            Arguments = ["-v", "-s", $"{LabProcess.Port}", "-t", "1h", "-i", "50ms", "--disable-syslog"],
        }.Start();

        Until.True(() => Errors(service).Length > 0, "the failure");
        int after = Summaries(service).Length;
        Until.True(() => Summaries(service).Length > after + 3, "further rounds");
        Strace.Signal(service, "TERM");

        service.WaitForEnd().Expect(0);
        Assert.NotEmpty(Errors(service));
    }

    [Fact]
    public void HangUpOpensTheLogFileAgain()
    {
        using var lab = LabProcess.Start("--count", "2");
        using TemporaryFolder folder = new();
        string log = folder.File("log");
        using var service = Start(lab, "-v", "-i", "30ms", "-t", "1h", "-f", log);
        Until.True(() => File.Exists(log) && File.ReadAllText(log).Contains("summary", StringComparison.Ordinal), "the first rounds");

        File.Move(log, log + ".1");
        service.Signal("HUP");
        Until.True(() => File.Exists(log) && File.ReadAllText(log).Contains("summary", StringComparison.Ordinal), "rounds in the new file");
        long rotated = new FileInfo(log + ".1").Length;
        int lines = File.ReadAllLines(log).Length;
        Until.True(() => File.ReadAllLines(log).Length > lines + 5, "further rounds in the new file");

        Assert.Equal(rotated, new FileInfo(log + ".1").Length);
        service.Signal("TERM");
        service.WaitForEnd().Expect(0);
    }

    [Fact]
    public void WhereTheLogFileCannotBeOpenedAgainTheOldOneStays()
    {
        using var lab = LabProcess.Start("--count", "2");
        using TemporaryFolder folder = new();
        string log = folder.File("log");
        using var service = Start(lab, "-v", "-i", "30ms", "-t", "1h", "-f", log);
        Until.True(() => File.Exists(log) && File.ReadAllText(log).Contains("summary", StringComparison.Ordinal), "the first rounds");

        File.Move(log, log + ".1");
        Directory.CreateDirectory(log);
        service.Signal("HUP");
        Until.True(() => File.ReadAllText(log + ".1").Contains(" error ", StringComparison.Ordinal), "the error");
        int lines = File.ReadAllLines(log + ".1").Length;
        Until.True(() => File.ReadAllLines(log + ".1").Length > lines + 5, "further rounds in the old file");

        service.Signal("TERM");
        service.WaitForEnd().Expect(0);
    }

    [Fact]
    public void MemoryAndDescriptorsStayFlat()
    {
        using var lab = LabProcess.Start("--count", "500");
        using TemporaryFolder folder = new();
        string log = folder.File("log");
        using var service = Start(lab, "-v", "-i", "5ms", "-t", "1h", "-f", log);
        Until.True(() => Rounds(log) > 100, "a warm-up");

        // In the middle of a round it has one more open for a moment, and memory grows until it is collected; what leaks never goes
        // down again.
        int descriptors = Enumerable.Range(0, 50).Min(_ => Descriptors(service.Id));
        long memory = ProcessNumbers.Status(service.Id, "VmRSS:");

        Until.True(() => Rounds(log) > 600, "500 rounds");

        Until.True(() => Descriptors(service.Id) <= descriptors, $"no more than {descriptors} descriptors");
        Until.True(() => ProcessNumbers.Status(service.Id, "VmRSS:") <= memory + 1024, $"no more than {memory} kB and 1 MiB");
        service.Signal("TERM");
        service.WaitForEnd().Expect(0);
    }

    [Fact]
    public void QuietRoundsTakeNoMemory()
    {
        using var lab = LabProcess.Start("--count", "10");
        using var service = Start(lab, "-i", "1ms", "-t", "1h");
        ProcessNumbers.AwaitReads(service.Id, 100);
        long memory = ProcessNumbers.Status(service.Id, "RssAnon:");

        ProcessNumbers.AwaitReads(service.Id, 2000); // hundreds of rounds

        Assert.InRange(ProcessNumbers.Status(service.Id, "RssAnon:"), 0, memory + 128); // kilobytes
        service.Signal("TERM");
        service.WaitForEnd().Expect(0);
    }

    private static Command Start(LabProcess lab, params string[] arguments)
        => new ToolRun(lab) { Arguments = ["-s", $"{LabProcess.Port}", "--disable-syslog", .. arguments] }.Start();

    private static string[] Lines(Command service, string word)
        => [.. service.Stderr.Split('\n').SkipLast(1).Where(line => line.Contains(word, StringComparison.Ordinal))];

    private static string[] Summaries(Command service) => Lines(service, " summary ");

    private static string[] Errors(Command service) => Lines(service, " error ");

    private static int Rounds(string log)
        => File.Exists(log) ? File.ReadLines(log).Count(line => line.Contains(" summary ", StringComparison.Ordinal)) : 0;

    /// <summary>What is open between two rounds: the least of many looks, because a round opens some for itself.</summary>
    private static int Descriptors(int pid)
        => Enumerable.Range(0, 50).Min(_ =>
        {
            Thread.Sleep(1);
            return Directory.GetFiles($"/proc/{pid}/fd").Length;
        });
}
