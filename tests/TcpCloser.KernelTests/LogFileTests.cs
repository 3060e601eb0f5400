using TcpCloser.KernelTests.Harness;
using Xunit;

namespace TcpCloser.KernelTests;

/// <summary>The log file, and what happens where a line cannot be written: it is said once, the exit status tells, and the kills happen.</summary>
public sealed class LogFileTests
{
    private static readonly string s_port = $"{LabProcess.Port}";

    [Fact]
    public void OnAFullDiskTheKillsHappenAndTheLossIsToldOnce()
    {
        using var lab = LabProcess.Start("--count", "600"); // more than two batches

        var result = lab.Tool("-v", "-s", s_port, "-f", "/dev/full").Expect(1);

        Assert.Contains("/dev/full", Assert.Single(result.Log), StringComparison.Ordinal);
        Assert.Equal(600, lab.State()["server", "aborted"]);
    }

    [Fact]
    public void WhereStderrIsFullTheKillsHappenToo()
    {
        using var lab = LabProcess.Start("--count", "3");

        new ToolRun(lab) { Redirections = "2>/dev/full", Arguments = ["-s", s_port, "--disable-syslog"] }.Run().Expect(1);

        Assert.Equal(3, lab.State()["server", "aborted"]);
    }

    [Fact]
    public void ATableThatCannotBeWrittenIsAFailure()
    {
        using var lab = LabProcess.Start("--count", "3");

        new ToolRun(lab) { Redirections = ">/dev/full", Arguments = ["-n", "-s", s_port] }.Run().Expect(1);

        Assert.Equal(3, lab.State()["server", "alive"]);
    }

    [Fact]
    public void TheLogFileIsAppendedToAndNotForEverybody()
    {
        using var lab = LabProcess.Start("--count", "2");
        using TemporaryFolder folder = new();
        string log = folder.File("log");

        var result = lab.Tool("-s", s_port, "-f", log).Expect(0);
        string[] first = File.ReadAllLines(log);
        lab.Tool("-s", s_port, $"-f{log}").Expect(0);

        Assert.Empty(result.Log);
        Assert.Equal(2, first.Count(line => line.Contains(" destroyed ", StringComparison.Ordinal)));
        Assert.Equal(first, File.ReadAllLines(log)[..first.Length]);
        Assert.True(File.ReadAllLines(log).Length > first.Length);
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead, File.GetUnixFileMode(log));
    }

    [Fact]
    public void ALogFileThatCannotBeOpenedIsAUsageError()
    {
        using var lab = LabProcess.Start("--count", "2");

        var result = lab.Tool("-s", s_port, "-f", "/nowhere/log").Expect(2);

        Assert.Contains("/nowhere/log", result.Stderr, StringComparison.Ordinal);
        Assert.Equal(2, lab.State()["server", "alive"]);
    }
}
