using TcpCloser.KernelTests.Harness;
using Xunit;

namespace TcpCloser.KernelTests;

/// <summary>A run that is broken off finishes the batch under way, tells what it did not reach, and exits 1.</summary>
public sealed class BrokenOffTests
{
    [SkippableTheory]
    [InlineData("INT")]
    [InlineData("TERM")]
    public void TheBatchUnderWayIsFinishedThenTheSummaryComes(string signal)
    {
        const int Count = 2000;
        using var lab = LabProcess.Start("--count", $"{Count}");
        using TemporaryFolder folder = new();
        Strace strace = new(folder.File("trace"));
        int dumps = strace.CountDumps(lab, "-s", $"{LabProcess.Port}");
        using var tool = new ToolRun(lab)
        {
            Wrapper = strace.Injecting($"delay_enter=1s:when={dumps + 2}"),
            Arguments = ["-s", $"{LabProcess.Port}", "--disable-syslog"],
        }.Start();
        Until.True(() => strace.Sends == dumps + 2, "the second batch, held back");
        Strace.Signal(tool, signal);

        var result = tool.WaitForEnd().Expect(1);

        int closed = result.Summary("closed");
        Assert.InRange(closed, 1, Count - 1);
        Assert.Equal(closed, result.Destroyed.Length);
        Assert.Equal(Count, result.Summary("matched"));
        Assert.Equal(closed, lab.State()["server", "aborted"]);
        Assert.Equal(Count - closed, lab.State()["server", "alive"]);
    }
}
