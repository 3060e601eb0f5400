using TcpCloser.KernelTests.Harness;
using Xunit;

namespace TcpCloser.KernelTests;

/// <summary>A signal is told when it is sent, not when the grace is over.</summary>
public sealed class GraceReportTests
{
    [Fact]
    public void TheFirstSignalIsToldBeforeTheGraceIsOver()
    {
        using var lab = LabProcess.Start(new LabSurroundings { OwnProcesses = true }, "--count", "2", "--ignore-term", "--client-process");

        using var run = new ToolRun(lab) { Arguments = ["--use-proc", "--grace", "1h", "-s", $"{LabProcess.Port}", "--disable-syslog"] }.Start();

        Until.True(() => run.Stderr.Contains("SIGTERM to pid=", StringComparison.Ordinal), "the line about the first signal");
    }
}
