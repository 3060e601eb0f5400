using TcpCloser.KernelTests.Harness;
using Xunit;

namespace TcpCloser.KernelTests;

/// <summary>
/// A run that is interrupted finishes the batch under way, tells what it did and what it did not reach, and exits 1; whichever the
/// signal is that would have ended it.
/// </summary>
public sealed class InterruptedTests
{
    private const int Count = 1500;

    public static TheoryData<string> Signals => ["INT", "TERM", "HUP", "QUIT", "USR1", "USR2", "ALRM", "XCPU", "VTALRM", "PROF", "IO", "PWR", "36", "64"];

    [Theory]
    [MemberData(nameof(Signals))]
    public void TheBatchUnderWayIsDestroyedThenTheSummaryComes(string signal)
    {
        using var lab = LabProcess.Start("--count", $"{Count}");
        using TemporaryFolder folder = new();
        Strace strace = new(folder.File("trace"));
        int dumps = strace.CountDumps(lab, "-s", $"{LabProcess.Port}");

        // In the second batch.
        var result = Interrupt(lab, strace, strace.StoppingIn("sendto", dumps + 2), signal, "--method", "destroy");

        Assert.Equal(512, result.Summary("closed"));
        Assert.Equal(512, result.Destroyed.Length);
        AssertToldWhatIsTrue(lab, result, "aborted");
    }

    [Theory]
    [MemberData(nameof(Signals))]
    public void WhatWasDisconnectedIsToldThenTheSummaryComes(string signal)
    {
        using var lab = LabProcess.Start("--count", $"{Count}");
        using TemporaryFolder folder = new();
        Strace strace = new(folder.File("trace"));

        var result = Interrupt(lab, strace, strace.StoppingIn("connect", 300), signal, "--method", "disconnect");

        Assert.InRange(result.Summary("closed"), 300, 600);
        Assert.Equal(result.Summary("closed"), result.Log.Count(line => line.Contains(" info disconnected ", StringComparison.Ordinal)));
        AssertToldWhatIsTrue(lab, result, "reset");
    }

    /// <summary>As nohup(1) starts it.</summary>
    [Fact]
    public void ASignalThatWasIgnoredAtTheStartStaysIgnored()
    {
        using var lab = LabProcess.Start("--count", $"{Count}");
        using TemporaryFolder folder = new();
        Strace strace = new(folder.File("trace"));

        using var tool = Start(lab, ["env", "--ignore-signal=HUP", .. strace.StoppingIn("sendto", 3)]);
        strace.AwaitStop();
        Strace.Signal(tool, "HUP");
        Strace.Signal(tool, "CONT");

        Assert.Equal(Count, tool.WaitForEnd().Expect(0).Summary("closed"));
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
        => new ToolRun(lab) { Wrapper = wrapper, Arguments = [.. arguments, "-s", $"{LabProcess.Port}", "--disable-syslog"] }.Start();

    private static void AssertToldWhatIsTrue(LabProcess lab, Result result, string view)
    {
        int closed = result.Summary("closed");
        Assert.Equal(Count, result.Summary("matched"));
        Assert.Equal(Count, result.Summary("idle"));
        Assert.Equal(Count - closed, result.Summary("failed"));
        Assert.Equal(Count - closed, result.Log.Count(line => line.Contains(" error not reached ", StringComparison.Ordinal)));
        Assert.Single(result.Log, line => line.Contains(" warning interrupted by ", StringComparison.Ordinal));
        Assert.Equal(closed, lab.State()["server", view]);
        Assert.Equal(Count - closed, lab.State()["server", "alive"]);
    }
}
