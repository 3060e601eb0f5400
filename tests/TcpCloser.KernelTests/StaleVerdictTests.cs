using System.Globalization;

namespace TcpCloser.KernelTests;

/// <summary>
/// A verdict that became stale while the log's reader stalled is checked again: connections that became busy, or whose peer
/// answered, are not closed by any method.
/// </summary>
public sealed class StaleVerdictTests : IDisposable
{
    private const int Count = 1_500;
    private const int IdleMs = 3_000;
    private const int StallMs = 2_000;
    private readonly TemporaryDirectory _directory = new();
    private readonly Fifo _fifo;

    public StaleVerdictTests() => _fifo = new Fifo(_directory);

    public void Dispose()
    {
        _fifo.Dispose();
        _directory.Dispose();
    }

    [Theory]
    [Rows("destroy | aborted", "disconnect | reset")]
    [InlineData("keepalive", "")]
    public void StalledReader_ConnectionsBecomeBusy_BusyOnesAreNotClosed(string method, string view)
    {
        using var lab = LabProcess.Start("--count", $"{Count}");
        lab.WaitIdle(Count, IdleMs);
        using Command tool = Start(lab.Inside(), "-s", $"{LabProcess.Port}", "-t", $"{IdleMs}ms", "--method", method);
        AwaitStall(tool);
        Thread.Sleep(StallMs);
        lab.Ask("send");
        string[] log = ReadToEnd(tool, exitCode: 0);

        int done = Result.Summary(log, method == "keepalive" ? "cured" : "closed");
        Assert.InRange(done, 1, Count / 2);
        Assert.Equal((Count, done, 0), (Result.Summary(log, "matched"), Result.Summary(log, "idle"), Result.Summary(log, "failed")));
        int gone = view.Length == 0 ? 0 : Count - lab.State()["server", "alive"];
        Assert.Equal(view.Length == 0 ? 0 : done, gone);
        string timers = Command.Run([.. lab.Inside(), "ss", "-tnoH", "sport", "=", $":{LabProcess.Port}"]).Stdout;
        Assert.Equal(method == "keepalive" ? done : 0, Regex.Count(timers, @"timer:\(keepalive,"));
    }

    [Fact]
    public void StalledReader_ConnectionsBecomeBusy_TheirProcessesAreNotKilled()
    {
        const int Processes = 60;
        using var lab = LabProcess.StartIsolated("--count", $"{Processes}", "--processes", $"{Processes}", "--client-process");
        _fifo.FillExceptOnePage();
        lab.WaitIdle(Processes, IdleMs);
        using Command tool = Start(lab.Inside(), "-s", $"{LabProcess.Port}", "-t", $"{IdleMs}ms", "--use-proc");
        int dead = 0;
        Until.True(
            () =>
            {
                int before = dead;
                dead = lab.State()["processes", "dead"];
                Thread.Sleep(200);
                return dead > 0 && dead == before;
            },
            "the stalled tool");
        Assert.InRange(dead, 1, Processes - 1);
        Thread.Sleep(StallMs);
        lab.Ask("send");
        string[] log = ReadToEnd(tool, exitCode: 0);

        int killed = Result.Summary(log, "closed");
        Assert.InRange(killed, dead, dead + 1); // one process may have been signalled before its log line did not fit
        lab.ExpectState($"processes dead={killed}, server alive={Processes - killed}");
    }

    /// <summary>The peers were silent at the verdict, and answer again before their connections are closed.</summary>
    [Theory]
    [Rows("destroy | ECONNABORTED", "disconnect | ECONNRESET")]
    public void StalledReader_PathRecoversAfterTheVerdict_LivingPeersAreNotClosed(string method, string error)
    {
        using var path = NetworkPath.Fast();
        SocketRange near = path.ConnectSilent(Count);
        near.Send();
        using Command tool = Start(path.Tool().Inside, "-d", $"{NetworkPath.Port}", "--probe", "3s", "--method", method);
        Until.True(() => near.Views.Length > 1, "the first closed connection");
        AwaitStall(tool);
        path.Return(3);
        Until.True(() => Alive(near) is var alive && near.Process.Ask($"info {near.Text}").Count(static line => line.Contains(" state=established ")
            && line.Contains(" unacked=0 ")) == alive, "the acknowledgements from the living peers");
        string[] log = ReadToEnd(tool, exitCode: 0);

        int closed = Result.Summary(log, "closed");
        Assert.InRange(closed, 1, Count / 2);
        Assert.Equal((Count, closed, Count - closed), (Result.Summary(log, "matched"), Result.Summary(log, "idle"), Result.Summary(log, "answered")));
        Assert.Equal(Count - closed, Alive(near));
        Assert.Contains($"{closed} {error}", near.Views);
    }

    private static int Alive(SocketRange sockets) =>
        sockets.Views.Where(static line => line.EndsWith(" alive", StringComparison.Ordinal)).Sum(static line => int.Parse(line.Split(' ')[0], CultureInfo.InvariantCulture));

    private Command Start(string[] inside, params string[] arguments) => new ToolRun(inside).Start([.. arguments, "-f", _fifo.Path]);

    /// <summary>Waits until the tool sleeps, which it does only while it waits for a reader.</summary>
    private static void AwaitStall(Command tool)
    {
        int asleep = 0;
        Until.True(
            () =>
            {
                Thread.Sleep(20);
                asleep = ProcessNumbers.IsAsleep(tool.Id) ? asleep + 1 : 0;
                return asleep >= 10;
            },
            "the stalled tool");
    }

    private string[] ReadToEnd(Command tool, int exitCode)
    {
        string log = "";
        Until.True(() => (log += _fifo.Drain()).Length > 0 && tool.HasExited, "the end");
        log += _fifo.Drain();
        tool.WaitForEnd().Expect(exitCode);
        return log.Replace("\0", "").Split('\n', StringSplitOptions.RemoveEmptyEntries);
    }
}
