using System.Diagnostics;
using System.Globalization;
using System.Text.RegularExpressions;
using TcpCloser.KernelTests.Harness;
using Xunit;

namespace TcpCloser.KernelTests;

/// <summary>
/// The log's reader stops reading (less, a full pipe, a FIFO): nothing is closed that is not told, a service counts what it cannot
/// tell, and a signal ends either within a second.
/// </summary>
public sealed partial class StalledReaderTests
{
    private const int Count = 4000;
    private const int Batch = 256;

    [Theory]
    [InlineData("stderr", "TERM")]
    [InlineData("stderr", "INT")]
    [InlineData("stderr", "HUP")]
    [InlineData("file", "TERM")]
    [InlineData("stdout", "TERM")]
    public void ASignalEndsTheWaitWithinASecond(string stream, string signal)
    {
        using var lab = LabProcess.Start("--count", $"{Count}");
        using TemporaryFolder folder = new();
        using Fifo fifo = new(folder);
        using var tool = Start(lab, fifo, stream);
        AwaitStall(lab, tool);

        long start = Stopwatch.GetTimestamp();
        tool.Signal(signal);
        var result = tool.WaitForEnd();

        Assert.InRange(Stopwatch.GetElapsedTime(start).TotalMilliseconds, 0, 1000);
        result.Expect(1);
        int closed = lab.State()["server", "aborted"];
        Assert.Equal(Count - closed, lab.State()["server", "alive"]);
        string told = fifo.Drain();
        Assert.InRange(closed, told.Split("destroyed").Length - 1, Count - Batch);
        Assert.InRange(told.Split("destroyed").Length - 1, closed - Batch, closed);
        if (stream != "stderr")
        {
            // The other stream says that this one is not whole.
            Assert.Contains(result.Log, static line => line.Contains("lost", StringComparison.Ordinal));
        }

        if (stream == "stdout")
        {
            Assert.Equal(closed, result.Summary("closed"));
            Assert.Equal(closed, result.Destroyed.Length);
        }
    }

    [Theory]
    [InlineData("stderr")]
    [InlineData("file")]
    [InlineData("stdout")]
    public void WhenItIsReadAgainTheRunGoesOnAndNothingIsLost(string stream)
    {
        using var lab = LabProcess.Start("--count", $"{Count}");
        using TemporaryFolder folder = new();
        using Fifo fifo = new(folder);
        using var tool = Start(lab, fifo, stream);
        AwaitStall(lab, tool);

        string told = "";
        Until.True(() => (told += fifo.Drain()).Length > 0 && tool.HasExited, "the end");
        told += fifo.Drain();

        tool.WaitForEnd().Expect(0);
        Assert.Equal(Count, told.Split("destroyed").Length - 1);
        Assert.Equal(Count, lab.State()["server", "aborted"]);
    }

    [Theory]
    [InlineData("stderr")]
    [InlineData("file")]
    public void AServiceWaitsOnceThenCountsWhatItCouldNotTell(string stream)
    {
        using var lab = LabProcess.Start("--count", $"{Count}");
        using TemporaryFolder folder = new();
        using Fifo fifo = new(folder);
        using var service = Start(lab, fifo, stream, "-i", "20ms");

        lab.WaitEnded(Count);
        string told = "";
        Until.True(() => LostLines().IsMatch(told += fifo.Drain()), "the number of lines that were lost");
        service.Signal("TERM");
        service.WaitForEnd().Expect(1);
        told += fifo.Drain();

        string[] lines = told.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.All(lines, line => Assert.Matches(@"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z (info|warning) ", line));
        int at = Array.FindIndex(lines, line => LostLines().IsMatch(line));
        int lost = int.Parse(LostLines().Match(lines[at]).Groups[1].ValueSpan, CultureInfo.InvariantCulture);
        // What it does, each connection, and the summary.
        Assert.Equal(Count + 2, at + lost);
        Assert.Equal(Count, Result.Summary(lines, "closed")); // of the totals
    }

    [Theory]
    [InlineData("stderr")]
    [InlineData("file")]
    public void ASignalEndsAServiceWithinASecondToo(string stream)
    {
        using var lab = LabProcess.Start("--count", $"{Count}");
        using TemporaryFolder folder = new();
        using Fifo fifo = new(folder);
        using var service = Start(lab, fifo, stream, "-i", "1h");
        lab.WaitEnded(1);

        long start = Stopwatch.GetTimestamp();
        service.Signal("TERM");
        service.WaitForEnd().Expect(1);

        Assert.InRange(Stopwatch.GetElapsedTime(start).TotalMilliseconds, 0, 1000);
    }

    private static Command Start(LabProcess lab, Fifo fifo, string stream, params string[] arguments)
        => new ToolRun(lab)
        {
            Redirections = stream switch
            {
                "stderr" => $"2>{fifo.Path}",
                "stdout" => $">{fifo.Path}",
                _ => "",
            },
            Arguments =
            [
                "-s", $"{LabProcess.Port}", "--disable-syslog",
                .. stream == "file" ? (string[])["-f", fifo.Path] : stream == "stdout" ? ["--json"] : [],
                .. arguments,
            ],
        }.Start();

    /// <summary>The tool sleeps nowhere but where it waits for a reader.</summary>
    private static void AwaitStall(LabProcess lab, Command tool)
    {
        Until.True(() => lab.State()["server", "aborted"] > 0 && ProcessNumbers.IsAsleep(tool.Id), "the stalled tool");
        Assert.InRange(lab.State()["server", "aborted"], 1, Count - 1);
    }

    [GeneratedRegex(@"warning (\d+) log lines before this one were lost")]
    private static partial Regex LostLines();
}
