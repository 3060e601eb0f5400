namespace TcpCloser.KernelTests;

/// <summary>
/// An interrupted run finishes the current batch, reports what it closed and how many connections it did not reach, and exits 1,
/// for every signal whose default action ends a process.
/// </summary>
public sealed class InterruptedTests
{
    private const int Count = 1500;

    public static TheoryData<string> Signals => ["INT", "TERM", "HUP", "QUIT", "USR1", "USR2", "ALRM", "XCPU", "VTALRM", "PROF", "IO", "PWR", "36", "64"];

    [Theory]
    [MemberData(nameof(Signals))]
    public void Signal_DuringADestroyBatch_FinishesTheBatchAndReports(string signal)
    {
        using var lab = LabProcess.Start("--count", $"{Count}");
        using Strace strace = new();
        int dumps = strace.CountDumps(lab, "-s", $"{LabProcess.Port}");

        // In the second batch.
        var result = Interrupt(lab, strace, strace.StoppingIn("sendto", dumps + 2), signal, "--method", "destroy");

        result.ExpectSummary("closed=512");
        Assert.Equal(512, result.Destroyed.Length);
        AssertReportIsTrue(lab, result, "aborted");
    }

    [Theory]
    [MemberData(nameof(Signals))]
    public void Signal_DuringDisconnects_ReportsThoseAndTheSummary(string signal)
    {
        using var lab = LabProcess.Start("--count", $"{Count}");
        using Strace strace = new();
        var result = Interrupt(lab, strace, strace.StoppingIn("connect", 300), signal, "--method", "disconnect");
        Assert.InRange(result.Summary("closed"), 300, 600);
        Assert.Equal(result.Summary("closed"), result.Log.Count(line => line.Contains(" info disconnected ")));
        AssertReportIsTrue(lab, result, "reset");
    }

    /// <summary>The signal arrives while the last connections are being destroyed: nothing is left to interrupt.</summary>
    [Fact]
    public void Signal_DuringTheLastBatch_InterruptsNothing()
    {
        using var lab = LabProcess.Start("--count", "200");
        using Strace strace = new();
        int dumps = strace.CountDumps(lab, "-s", $"{LabProcess.Port}");

        using var tool = Start(lab, strace.StoppingIn("sendto", dumps + 1), "--method", "destroy");
        strace.AwaitStop();
        Strace.Signal(tool, "TERM");
        Strace.Signal(tool, "CONT");
        var result = tool.WaitForEnd().Expect(0, "closed=200");

        Assert.DoesNotContain(result.Log, line => line.Contains("interrupted"));
    }

    /// <summary>nohup(1) starts programs like this.</summary>
    [Fact]
    public void Signal_IgnoredAtStart_StaysIgnored()
    {
        using var lab = LabProcess.Start("--count", $"{Count}");
        using Strace strace = new();
        using var tool = Start(lab, ["env", "--ignore-signal=HUP", .. strace.StoppingIn("sendto", 3)]);
        strace.AwaitStop();
        Strace.Signal(tool, "HUP");
        Strace.Signal(tool, "CONT");
        tool.WaitForEnd().Expect(0, $"closed={Count}");
    }

    private static Result Interrupt(LabProcess lab, Strace strace, string[] wrapper, string signal, params string[] arguments)
    {
        using var tool = Start(lab, wrapper, arguments);
        strace.AwaitStop();
        Strace.Signal(tool, signal);
        Strace.Signal(tool, "CONT");
        return tool.WaitForEnd().Expect(1);
    }

    private static Command Start(LabProcess lab, string[] wrapper, params string[] arguments)
        => new ToolRun(lab) { Wrapper = wrapper }.Start([.. arguments, "-s", $"{LabProcess.Port}"]);

    private static void AssertReportIsTrue(LabProcess lab, Result result, string view)
    {
        int closed = result.Summary("closed");
        result.ExpectSummary($"matched={Count} idle={Count} failed={Count - closed}");
        string error = Assert.Single(result.Log, line => line.Contains(" error ")); // one line for all connections
        Assert.Contains(" interrupted by ", error, StringComparison.Ordinal);
        Assert.EndsWith($": {Count - closed} idle connections were not reached", error, StringComparison.Ordinal);
        lab.ExpectState($"server {view}={closed}, server alive={Count - closed}");
    }
}
