using System.Globalization;

namespace TcpCloser.KernelTests;

/// <summary>
/// The reader of the log stops reading (less, a full pipe, a FIFO): no connection is closed without being logged, a service counts
/// the lines that it loses, and a signal ends either within a second.
/// </summary>
public sealed partial class StalledReaderTests
{
    private const int Count = 4000;
    private const int Batch = 256;

    [Theory]
    [Rows("stderr | TERM", "stderr | INT", "stderr | HUP", "file | TERM", "stdout | TERM")]
    public void Run_SignalWhileTheReaderStalls_DoesNotWaitForTheReader(string stream, string signal)
    {
        using var lab = LabProcess.Start("--count", $"{Count}");
        using TemporaryDirectory directory = new();
        using Fifo fifo = new(directory);
        using var tool = Start(lab, fifo, stream);
        AwaitStall(lab, tool);

        long start = Stopwatch.GetTimestamp();
        tool.Signal(signal);
        var result = tool.WaitForEnd();

        Assert.InRange(Stopwatch.GetElapsedTime(start).TotalSeconds, 0, 5);
        result.Expect(1);
        int closed = lab.State()["server", "aborted"];
        lab.ExpectState($"server alive={Count - closed}");
        string output = fifo.Drain();
        Assert.InRange(closed, output.Split("destroyed").Length - 1, Count - Batch);
        Assert.InRange(output.Split("destroyed").Length - 1, closed - Batch, closed);
        if (stream != "stderr")
        {
            // The other stream reports that this one is incomplete.
            Assert.Contains(result.Log, static line => line.Contains("lost"));
        }

        if (stream == "stdout")
        {
            result.ExpectSummary($"closed={closed}");
            Assert.Equal(closed, result.Destroyed.Length);
        }
    }

    [Theory]
    [Values("stderr", "file", "stdout")]
    public void Run_ReaderContinues_RunContinuesAndNoLineIsLost(string stream)
    {
        using var lab = LabProcess.Start("--count", $"{Count}");
        using TemporaryDirectory directory = new();
        using Fifo fifo = new(directory);
        using var tool = Start(lab, fifo, stream);
        AwaitStall(lab, tool);

        string output = "";
        Until.True(() => (output += fifo.Drain()).Length > 0 && tool.HasExited, "the end");
        output += fifo.Drain();

        tool.WaitForEnd().Expect(0);
        Assert.Equal(Count, output.Split("destroyed").Length - 1);
        lab.ExpectState($"server aborted={Count}");
    }

    [Theory]
    [Values("stderr", "file")]
    public void Service_ReaderStalls_WaitsOnceThenCountsLostLines(string stream)
    {
        using var lab = LabProcess.Start("--count", $"{Count}");
        using TemporaryDirectory directory = new();
        using Fifo fifo = new(directory);
        using var service = Start(lab, fifo, stream, "-i", "20ms");

        lab.WaitEnded(Count);
        string output = "";
        Until.True(() => LostLines().IsMatch(output += fifo.Drain()), "the number of lines that were lost");
        service.Signal("TERM");
        service.WaitForEnd().Expect(1);
        output += fifo.Drain();

        string[] lines = output.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.All(lines, line => Assert.Matches(@"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z (info|warning) ", line));
        int at = Array.FindIndex(lines, line => LostLines().IsMatch(line));
        int lost = int.Parse(LostLines().Match(lines[at]).Groups[1].ValueSpan, CultureInfo.InvariantCulture);
        // The first line, each connection, the summary, and perhaps a hint of a round that found nothing.
        Assert.InRange(at + lost, Count + 2, Count + 3);
        Assert.Equal(Count, Result.Summary(lines, "closed")); // in the totals
    }

    [Theory]
    [Values("stderr", "file")]
    public void Service_SignalWhileTheReaderStalls_DoesNotWaitForTheReader(string stream)
    {
        using var lab = LabProcess.Start("--count", $"{Count}");
        using TemporaryDirectory directory = new();
        using Fifo fifo = new(directory);
        using var service = Start(lab, fifo, stream, "-i", "1h");
        lab.WaitEnded(1);

        long start = Stopwatch.GetTimestamp();
        service.Signal("TERM");
        service.WaitForEnd().Expect(1);

        Assert.InRange(Stopwatch.GetElapsedTime(start).TotalSeconds, 0, 5);
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

    /// <summary>Waits until the tool sleeps, which it does only while it waits for a reader.</summary>
    private static void AwaitStall(LabProcess lab, Command tool)
    {
        Until.True(() => lab.State()["server", "aborted"] > 0 && ProcessNumbers.IsAsleep(tool.Id), "the stalled tool");
        Assert.InRange(lab.State()["server", "aborted"], 1, Count - 1);
    }

    [GeneratedRegex(@"warning (\d+) log lines before this one were lost")]
    private static partial Regex LostLines();
}
