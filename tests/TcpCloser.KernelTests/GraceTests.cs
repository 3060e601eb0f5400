namespace TcpCloser.KernelTests;

/// <summary><c>--grace</c>: SIGTERM first, and SIGKILL only for processes that are still alive afterwards.</summary>
public sealed class GraceTests
{
    [Theory]
    [Rows("--clean-term | exit:0 | 1", "--ignore-term | signal:9 | 2")]
    [InlineData("", "signal:15", 1)]
    public void Grace_EachReactionToSigterm_SigkillOnlyIfStillAlive(string onTerm, string fate, int signals)
    {
        using var lab = LabProcess.StartIsolated(
            ["--count", "4", "--processes", "2", "--client-process", .. onTerm.Split(' ', StringSplitOptions.RemoveEmptyEntries)]);
        // Only where the processes ignore the signal does the run wait for the whole grace period.
        string grace = onTerm == "--ignore-term" ? "300ms" : "15s";

        var result = lab.Tool("--use-proc", "--grace", grace, "-s", $"{LabProcess.Port}").Expect(0, "closed=4");

        Assert.Equal(2 * signals, result.Log.Count(line => line.Contains(" to pid=")));
        Assert.Equal(2, result.Log.Count(line => line.Contains("SIGTERM to pid=")));
        Until.True(() => lab.State()["processes", "dead"] == 2, "both deaths");
        Assert.Equal(2, lab.Ask("processes").Count(line => line.EndsWith("role=server state=" + fate, StringComparison.Ordinal)));
        lab.AwaitState("client eof=4");
    }

    [Theory]
    [Rows("TERM | ", "INT | ", "TERM | -i 1h")]
    public void Grace_RunInterruptedWhileWaiting_SendsNoFurtherSignal(string signal, string service)
    {
        using var lab = LabProcess.StartIsolated("--count", "2", "--ignore-term", "--client-process");
        // Signalled after the other process, because it is younger: once it is dead, both have been signalled.
        using var mortal = LabProcess.Start(new LabEnvironment { OwnProcesses = true, Enter = lab.Inside() }, "--count", "1", "--port", "5001", "--client-process");
        using var run = new ToolRun(lab)
            .Start(["--use-proc", "--grace", "1h", "-s", "5000-5001", .. service.Split(' ', StringSplitOptions.RemoveEmptyEntries)]);
        Until.True(() => mortal.State()["processes", "dead"] == 1, "the end of the process that does not ignore the signal");

        Strace.Signal(run, signal); // the tool is the child of nsenter

        var result = run.WaitForEnd(TimeSpan.FromSeconds(10)).Expect(service.Length > 0 ? 0 : 1);
        Assert.Equal(2, result.Log.Count(line => line.Contains(" to pid=")));
        result.ExpectSummary("closed=1 failed=2");
        string error = Assert.Single(result.Log, line => line.Contains(" error "));
        Assert.EndsWith($" interrupted by SIG{signal}: 2 connections of signalled processes were still open", error, StringComparison.Ordinal);
        lab.ExpectState("processes dead=0, server alive=2");
    }
}
