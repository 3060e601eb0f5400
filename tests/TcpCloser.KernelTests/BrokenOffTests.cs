using TcpCloser.KernelTests.Harness;
using Xunit;

namespace TcpCloser.KernelTests;

/// <summary>A run that is broken off finishes the batch under way, tells what it did not reach, and exits 1.</summary>
public sealed class BrokenOffTests
{
    [Theory]
    [InlineData("INT")]
    [InlineData("TERM")]
    public void TheBatchUnderWayIsFinishedThenTheSummaryComes(string signal)
    {
        const int Count = 500; // two batches, sent by one thread
        (Result result, LabState state) = BreakOff(Count, signal, static dumps => $"delay_enter=1s:when={dumps + 1}", held: 1);

        Assert.Equal(256, result.Summary("closed"));
        Assert.Equal(256, state["server", "aborted"]);
        Assert.Equal(Count - 256, state["server", "alive"]);
    }

    [Fact]
    public void WhereSeveralThreadsCloseEachFinishesItsBatch()
    {
        const int Count = 5000; // twenty batches
        (Result result, LabState state) = BreakOff(Count, "TERM", static _ => "delay_enter=300ms:when=1+", held: 2);

        int closed = result.Summary("closed");
        Assert.InRange(closed, 256, Count - 256);
        Assert.Equal(closed, state["server", "aborted"]);
        Assert.Equal(Count - closed, state["server", "alive"]);
    }

    /// <summary>Signals a run while it is held back in its first sends after the dumps.</summary>
    private static (Result Result, LabState State) BreakOff(int count, string signal, Func<int, string> fault, int held)
    {
        using var lab = LabProcess.Start("--count", $"{count}");
        using TemporaryFolder folder = new();
        Strace strace = new(folder.File("trace"));
        int dumps = strace.CountDumps(lab, "-s", $"{LabProcess.Port}");
        using var tool = new ToolRun(lab)
        {
            Wrapper = strace.Injecting(fault(dumps)),
            Arguments = ["-s", $"{LabProcess.Port}", "--disable-syslog"],
        }.Start();
        Until.True(() => strace.Sends >= dumps + held, "the destroying, held back");
        Strace.Signal(tool, signal);

        var result = tool.WaitForEnd().Expect(1);
        Assert.Equal(count, result.Summary("matched"));
        Assert.Equal(result.Summary("closed"), result.Destroyed.Length);
        return (result, lab.State());
    }
}
