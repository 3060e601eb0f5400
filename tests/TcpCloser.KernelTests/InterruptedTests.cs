using TcpCloser.KernelTests.Harness;
using Xunit;

namespace TcpCloser.KernelTests;

/// <summary>A run that is interrupted finishes the batch under way, tells what it did not reach, and exits 1.</summary>
public sealed class InterruptedTests
{
    [Theory]
    [InlineData("INT")]
    [InlineData("TERM")]
    public void TheBatchUnderWayIsFinishedThenTheSummaryComes(string signal)
    {
        const int Count = 500; // two batches
        (Result result, LabState state) = Interrupt(Count, signal);

        Assert.Equal(256, result.Summary("closed"));
        Assert.Equal(Count - 256, result.Summary("failed"));
        Assert.Equal(256, state["server", "aborted"]);
        Assert.Equal(Count - 256, state["server", "alive"]);
    }

    /// <summary>Signals a run while it is held back in its first send after the dumps.</summary>
    private static (Result Result, LabState State) Interrupt(int count, string signal)
    {
        using var lab = LabProcess.Start("--count", $"{count}");
        using TemporaryFolder folder = new();
        Strace strace = new(folder.File("trace"));
        int dumps = strace.CountDumps(lab, "-s", $"{LabProcess.Port}");
        using var tool = new ToolRun(lab)
        {
            Wrapper = strace.Injecting($"delay_enter=1s:when={dumps + 1}"),
            Arguments = ["-s", $"{LabProcess.Port}", "--disable-syslog"],
        }.Start();
        Until.True(() => strace.Sends >= dumps + 1, "the destroying, held back");
        Strace.Signal(tool, signal);

        var result = tool.WaitForEnd().Expect(1);
        Assert.Equal(count, result.Summary("matched"));
        Assert.Equal(result.Summary("closed"), result.Destroyed.Length);
        Assert.Equal(result.Summary("failed"), result.Log.Count(line => line.Contains(" error not reached ", StringComparison.Ordinal)));
        return (result, lab.State());
    }
}
