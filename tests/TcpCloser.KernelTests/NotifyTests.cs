namespace TcpCloser.KernelTests;

/// <summary>A service under a service manager, which a socket stands in for.</summary>
public sealed class NotifyTests : IDisposable
{
    private readonly ServiceManager _manager = new();

    public void Dispose() => _manager.Dispose();

    [Fact]
    public void Service_WholeLife_NotifiesFromReadyToStopping()
    {
        using var lab = LabProcess.Start("--count", "3");
        using Command service = Start(lab, [], "-i", "1h");
        lab.WaitEnded(3);
        _manager.Await("READY=1\nSTATUS=round 1 done: matched=3 idle=3 closed=3 ");

        service.Signal("HUP");
        Until.True(() => _manager.Messages.Count >= 4, "the reload");
        Assert.Equal("READY=1", _manager.Messages[0]);
        Assert.Matches("^RELOADING=1\nMONOTONIC_USEC=[0-9]+$", _manager.Messages[2]);
        Assert.Equal("READY=1", _manager.Messages[3]);

        service.Signal("USR1");
        _manager.Await("STATUS=after 1 rounds: matched=3 ");

        service.Signal("TERM");
        service.WaitForEnd().Expect(0);
        _manager.Await("STOPPING=1");
        Assert.StartsWith("STATUS=after 1 rounds: matched=3 ", _manager.Messages[^2], StringComparison.Ordinal);
        Assert.Equal(7, _manager.Messages.Count);
    }

    /// <summary>The service also pings between rounds, no matter how far apart they are.</summary>
    [Fact]
    public void Watchdog_ServiceRunsThenStops_IsPingedTwicePerPeriodWhileItRuns()
    {
        using var lab = LabProcess.Start("--count", "1");
        using Command service = Start(lab, ["WATCHDOG_USEC=400000"], "-i", "1h", "-t", "1h");
        _manager.Await("READY=1");
        long start = Stopwatch.GetTimestamp();
        int before = Pings();
        Until.True(() => Pings() >= before + 5, "pings");
        Assert.InRange(Stopwatch.GetElapsedTime(start).TotalMilliseconds, 4 * 150, 60_000);

        service.Signal("STOP");
        int pings = Pings();
        Thread.Sleep(600); // the absence of pings can only be waited for
        Assert.InRange(Pings(), pings, pings + 1);
        service.Signal("CONT");
        Until.True(() => Pings() > pings + 1, "pings again");

        service.Signal("TERM");
        service.WaitForEnd().Expect(0);
    }

    /// <summary>
    /// A round may take longer than the watchdog's period: waiting for processes to end, or for peers to answer, is
    /// progress.
    /// </summary>
    [Fact]
    public void Watchdog_RoundWaitsForProcesses_IsPinged()
    {
        using var lab = LabProcess.StartIsolated("--count", "1", "--ignore-term", "--client-process");
        using Command service = Start(lab, ["WATCHDOG_USEC=400000"], "-i", "1h", "--use-proc", "--grace", "1h");
        Until.True(() => service.Stderr.Contains("SIGTERM to pid="), "the signal");
        int pings = Pings();
        Until.True(() => Pings() >= pings + 3, "pings");
        Assert.Contains("READY=1", _manager.Messages); // sent after the first dump: a long grace period must not keep the manager waiting
        Strace.Signal(service, "TERM");
        service.WaitForEnd().Expect(0);
    }

    /// <summary>The watchdog has to end a round that hangs: here the kernel never answers a dump.</summary>
    [Fact]
    public void Watchdog_RoundHangsInADump_IsNotPinged()
    {
        using Strace strace = new();
        using var lab = LabProcess.Start("--count", "1");
        using Command service = new ToolRun(lab)
        {
            Wrapper = [.. strace.Injecting("delay_enter=20000000:when=2"), .. _manager.Wrapper("WATCHDOG_USEC=200000")],
            Arguments = ["-s", $"{LabProcess.Port}", "-i", "1h", "-t", "1h", "--disable-syslog"],
        }.Start();
        Thread.Sleep(1500);
        Assert.InRange(Pings(), 0, 2);
        Assert.DoesNotContain(_manager.Messages, static text => text.StartsWith("READY", StringComparison.Ordinal));
    }

    [Fact]
    public void Service_CannotCloseAnything_IsNeverReady()
    {
        using var lab = LabProcess.Start("--count", "1");
        var run = new ToolRun(lab)
        {
            Wrapper = _manager.Wrapper(),
            Arguments = ["-s", $"{LabProcess.Port}", "-i", "1h", "--method", "destroy", "--disable-syslog"],
        };
        run.Unprivileged().Run().Expect(3);
        Assert.Equal(["STOPPING=1"], _manager.Messages);
    }

    /// <summary>
    /// A manager would restart the run whenever it ends: without an interval, it would close idle connections every few
    /// seconds.
    /// </summary>
    [Fact]
    public void SingleRun_StartedByAManager_IsAUsageErrorAndClosesNothing()
    {
        using var lab = LabProcess.Start("--count", "1");
        Result result = SingleRun(lab, "-s", $"{LabProcess.Port}").Expect(2);
        Assert.StartsWith("tcp-closer: -i/--interval is missing: ", result.Stderr, StringComparison.Ordinal);
        Assert.Contains("NOTIFY_SOCKET", result.Stderr, StringComparison.Ordinal);
        lab.ExpectState("server alive=1");
        Assert.Empty(_manager.Messages);
    }

    /// <summary>Runs of ExecStartPre=, or of a shell that has inherited the variable.</summary>
    [Theory]
    [Rows("--check", "--help", "--version", "-n -s 5000", "--group-by port")]
    public void SingleRun_ClosesNothing_WorksUnderAManagerAndNotifiesNothing(params string[] arguments)
    {
        using var lab = LabProcess.Start("--count", "1");
        SingleRun(lab, arguments).Expect(0);
        Assert.Empty(_manager.Messages);
    }

    private Result SingleRun(LabProcess lab, params string[] arguments) =>
        new ToolRun(lab) { Wrapper = _manager.Wrapper("WATCHDOG_USEC=400000") }.Run(arguments);

    private Command Start(LabProcess lab, string[] variables, params string[] arguments)
        => new ToolRun(lab) { Wrapper = _manager.Wrapper(variables) }.Start(["-s", LabProcess.PortText, .. arguments]);

    private int Pings() => _manager.Messages.Count(static text => text == "WATCHDOG=1");
}
