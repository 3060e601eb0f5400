using TcpCloser.KernelTests.Harness;
using Xunit;

namespace TcpCloser.KernelTests;

/// <summary>--grace: SIGTERM first, SIGKILL only for what still lives after it.</summary>
public sealed class GraceTests
{
    private static readonly LabSurroundings s_own = new() { OwnProcesses = true };

    [Theory]
    [InlineData("--clean-term", "exit:0", 1)]
    [InlineData("", "signal:15", 1)]
    [InlineData("--ignore-term", "signal:9", 2)]
    public void WhoEndsInTimeIsNotKilled(string onTerm, string fate, int signals)
    {
        using var lab = LabProcess.Start(
            s_own, ["--count", "4", "--processes", "2", "--client-process", .. onTerm.Split(' ', StringSplitOptions.RemoveEmptyEntries)]);
        // Nobody waits the grace out but for who ignores the signal.
        string grace = onTerm == "--ignore-term" ? "300ms" : "15s";

        var result = lab.Tool("--use-proc", "--grace", grace, "-s", $"{LabProcess.Port}").Expect(0);

        Assert.Equal(4, result.Summary("closed"));
        Assert.Equal(2 * signals, result.Log.Count(line => line.Contains(" to pid=", StringComparison.Ordinal)));
        Assert.Equal(2, result.Log.Count(line => line.Contains("SIGTERM to pid=", StringComparison.Ordinal)));
        Until.True(() => lab.State()["processes", "dead"] == 2, "both deaths");
        Assert.Equal(2, lab.Ask("processes").Count(line => line.EndsWith("role=server state=" + fate, StringComparison.Ordinal)));
        Assert.Equal(4, lab.State()["client", "eof"]);
    }

    [Fact]
    public void TheFirstSignalMayBeAnother()
    {
        using var lab = LabProcess.Start(s_own, "--count", "2", "--client-process");

        var result = lab.Tool("--use-proc", "--signal", "INT", "--grace", "15s", "-s", $"{LabProcess.Port}").Expect(0);

        Assert.Single(result.Log, line => line.Contains("SIGINT to pid=", StringComparison.Ordinal));
        Until.True(() => lab.State()["processes", "dead"] == 1, "the death");
        Assert.Single(lab.Ask("processes"), line => line.EndsWith("role=server state=signal:2", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("TERM", "")]
    [InlineData("INT", "")]
    [InlineData("TERM", "-i 1h")]
    public void WhoIsToldToStopWhileItWaitsSendsNoFurtherSignal(string signal, string service)
    {
        using var lab = LabProcess.Start(s_own, "--count", "2", "--ignore-term", "--client-process");
        // Signalled after the other, because its process is younger: its death tells that both have had their signal.
        using var mortal = LabProcess.Start(s_own with { Within = lab }, "--count", "1", "--port", "5001", "--client-process");
        using var run = new ToolRun(lab)
        {
            Arguments = ["--use-proc", "--grace", "1h", "-s", "5000-5001", "--disable-syslog", .. service.Split(' ', StringSplitOptions.RemoveEmptyEntries)],
        }.Start();
        Until.True(() => mortal.State()["processes", "dead"] == 1, "the end of who does not ignore the signal");

        Strace.Signal(run, signal); // through nsenter, whose child the tool is

        var result = run.WaitForEnd(TimeSpan.FromSeconds(10)).Expect(service.Length > 0 ? 0 : 1);
        Assert.Equal(2, result.Log.Count(line => line.Contains(" to pid=", StringComparison.Ordinal)));
        Assert.Equal(1, result.Summary("closed"));
        Assert.Equal(0, lab.State()["processes", "dead"]);
        Assert.Equal(2, lab.State()["server", "alive"]);
    }
}
