namespace TcpCloser.KernelTests;

/// <summary>Service mode: rounds at fixed intervals, no output without news, a clean end.</summary>
public sealed class ServiceTests
{
    private const int IdleMs = 400;

    [Theory]
    [Values("TERM", "INT")]
    public void Service_ConnectionsBecomeIdle_ClosesThemAndEndsWithTotals(string signal)
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
        result.ExpectSummary("closed=6");
        Assert.Contains("totals", result.Log[^1], StringComparison.Ordinal);
    }

    /// <summary>It does not wait for the rest of the hour.</summary>
    [Fact]
    public void Service_SignalBetweenRounds_EndsAtOnce()
    {
        using var lab = LabProcess.Start("--count", "1");
        using var service = Start(lab, "-i", "1h", "-v", "-t", "1h");
        Until.True(() => service.Stderr.Contains("matched=1"), "the first round");
        service.Signal("TERM");
        service.WaitForEnd().Expect(0);
    }

    [Fact]
    public void Service_RoundsWithoutNews_LogNothing()
    {
        using var lab = LabProcess.Start("--count", "3");
        using Strace strace = new();
        using var service = new ToolRun(lab) { Wrapper = strace.Wrapper }.Start("-s", $"{LabProcess.Port}", "-t", "1h", "-i", "20ms");
        Until.True(() => strace.Sends > 20, "several rounds");
        Strace.Signal(service, "TERM");

        var result = service.WaitForEnd().Expect(0);
        Assert.DoesNotContain(result.Log, line => line.Contains("summary"));
        Assert.InRange(result.Log.Length, 3, 4); // the first line; the longest idle time, once; the stop and the totals
    }

    /// <summary>The interval is passed to the kernel once, and does not depend on how long a round takes.</summary>
    [Fact]
    public void Service_Interval_IsOnePeriodicTimer()
    {
        using var lab = LabProcess.Start("--count", "1");
        using TemporaryDirectory directory = new();
        string trace = directory.File("trace");
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
    public void Service_RoundFails_IsLoggedAndTheNextIsRun()
    {
        using var lab = LabProcess.Start("--count", "2");
        using Strace strace = new();
        using var service = new ToolRun(lab) { Wrapper = strace.Injecting("error=ENOMEM:when=5") }
            .Start("-v", "-s", $"{LabProcess.Port}", "-t", "1h", "-i", "50ms");

        Until.True(() => Errors(service).Length > 0, "the failure");
        int after = Summaries(service).Length;
        Until.True(() => Summaries(service).Length > after + 3, "further rounds");
        Strace.Signal(service, "TERM");

        service.WaitForEnd().Expect(0);
        Assert.NotEmpty(Errors(service));
    }

    [Fact]
    public void Service_SigHup_ReopensTheLogFile()
    {
        using var lab = LabProcess.Start("--count", "2");
        using TemporaryDirectory directory = new();
        string log = directory.File("log");
        using var service = Start(lab, "-v", "-i", "30ms", "-t", "1h", "-f", log);
        Until.True(() => File.Exists(log) && File.ReadAllText(log).Contains("summary"), "the first rounds");

        File.Move(log, log + ".1");
        service.Signal("HUP");
        Until.True(() => File.Exists(log) && File.ReadAllText(log).Contains("summary"), "rounds in the new file");
        long rotated = new FileInfo(log + ".1").Length;
        int lines = File.ReadAllLines(log).Length;
        Until.True(() => File.ReadAllLines(log).Length > lines + 5, "further rounds in the new file");

        Assert.Equal(rotated, new FileInfo(log + ".1").Length);
        service.Signal("TERM");
        service.WaitForEnd().Expect(0);
    }

    [Fact]
    public void Service_HundredsOfVerboseRounds_MemoryAndDescriptorsStayFlat()
    {
        using var lab = LabProcess.Start("--count", "500");
        using TemporaryDirectory directory = new();
        string log = directory.File("log");
        using var service = Start(lab, "-v", "-i", "5ms", "-t", "1h", "-f", log);
        Until.True(() => Rounds(log) > 100, "a warm-up");

        // During a round the service has one more descriptor open, and memory grows until it is collected; a leak never
        // shrinks again.
        int descriptors = Enumerable.Range(0, 50).Min(_ => Descriptors(service.Id));
        long memory = ProcessNumbers.Status(service.Id, "VmRSS:");

        Until.True(() => Rounds(log) > 600, "500 rounds");

        Until.True(() => Descriptors(service.Id) <= descriptors, $"no more than {descriptors} descriptors");
        Until.True(() => ProcessNumbers.Status(service.Id, "VmRSS:") <= memory + 3072, $"no more than {memory} kB and 3 MiB"); // flat after about 2,000 rounds, 2.4 MB above
        service.Signal("TERM");
        service.WaitForEnd().Expect(0);
    }

    [Fact]
    public void Service_QuietRounds_TakeNoMemory()
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
        => [.. service.Stderr.Split('\n').SkipLast(1).Where(line => line.Contains(word))];

    private static string[] Summaries(Command service) => Lines(service, " summary ");
    private static string[] Errors(Command service) => Lines(service, " error ");
    private static int Rounds(string log) => File.Exists(log) ? File.ReadLines(log).Count(line => line.Contains(" summary ")) : 0;

    /// <summary>The descriptors open between two rounds: the minimum of many samples, because a round opens some for itself.</summary>
    private static int Descriptors(int pid)
        => Enumerable.Range(0, 50).Min(_ =>
        {
            Thread.Sleep(1);
            return Directory.GetFiles($"/proc/{pid}/fd").Length;
        });
}
