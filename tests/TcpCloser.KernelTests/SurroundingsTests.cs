using System.Globalization;
using System.Text.RegularExpressions;
using TcpCloser.KernelTests.Harness;
using Xunit;

namespace TcpCloser.KernelTests;

/// <summary>The program does its job in a rescue shell: without an environment, without standard streams, on a read-only file system.</summary>
public sealed partial class SurroundingsTests
{
    [Theory]
    [InlineData("<&-")]
    [InlineData(">&-")]
    [InlineData("2>&-")]
    [InlineData("<&- >&-")]
    [InlineData("<&- 2>&-")]
    [InlineData(">&- 2>&-")]
    [InlineData("<&- >&- 2>&-")]
    public void WithStandardStreamsClosedNothingElseGetsTheirNumbers(string closed)
    {
        using var lab = LabProcess.Start("--count", "3");
        using TemporaryFolder folder = new();
        string trace = folder.File("trace"), log = folder.File("log");

        new ToolRun(lab)
        {
            Wrapper = ["strace", "-f", "-o", trace, "-e", "trace=execve,open,openat,socket,signalfd4,timerfd_create,dup,dup2,dup3,fcntl"],
            Redirections = closed,
            Arguments = ["-s", $"{LabProcess.Port}", "-f", log],
        }.Run().Expect(0);

        Assert.Equal(3, lab.State()["server", "aborted"]);
        Assert.Equal(3, Result.Summary(File.ReadAllLines(log), "closed"));
        string[] calls = [.. File.ReadLines(trace).SkipWhile(line => !line.Contains($"execve(\"{Binaries.Tool}\"", StringComparison.Ordinal)).Skip(1)];
        AssertNumbers(calls, "socket(");
        AssertNumbers(calls, $"\"{log}\"");
    }

    [Theory]
    [InlineData("2>&-")]
    [InlineData("<&- >&- 2>&-")]
    public void WithoutStderrTheKillsHappenAllTheSame(string closed)
    {
        using var lab = LabProcess.Start("--count", "3");

        new ToolRun(lab) { Redirections = closed, Arguments = ["-s", $"{LabProcess.Port}", "--disable-syslog"] }.Run().Expect(0);

        Assert.Equal(3, lab.State()["server", "aborted"]);
    }

    [Fact]
    public void WithoutDevAndStandardStreamsTheKillsHappenAllTheSame()
    {
        using var lab = LabProcess.Start("--count", "3");

        new ToolRun(lab)
        {
            Wrapper = Mounting("mount -t tmpfs none /dev"),
            Redirections = "<&- >&- 2>&-",
            Arguments = ["-s", $"{LabProcess.Port}"],
        }.Run().Expect(0);

        Assert.Equal(3, lab.State()["server", "aborted"]);
    }

    /// <summary>One thread does it all, besides the runtime's own, which sleeps.</summary>
    [Fact]
    public void ManyAreClosedWithoutAnotherThread()
    {
        using var lab = LabProcess.Start("--count", "1500");
        using TemporaryFolder folder = new();
        Strace strace = new(folder.File("trace"));

        Result result = new ToolRun(lab)
        {
            Wrapper = strace.RefusingThreads,
            Arguments = ["-s", $"{LabProcess.Port}", "--disable-syslog"],
        }.Run().Expect(0);

        Assert.Equal(1500, result.Summary("closed"));
        Assert.Equal(1500, lab.State()["server", "aborted"]);
        Assert.False(strace.RefusedThread);
    }

    /// <summary>Few descriptors: those closed and those said to be closed are the same.</summary>
    [Theory]
    [InlineData(5)]
    [InlineData(6)]
    [InlineData(7)]
    [InlineData(8)]
    public void WithFewDescriptorsWhatIsSaidIsWhatWasDone(int descriptors)
    {
        using var lab = LabProcess.Start("--count", "1500");

        Result result = new ToolRun(lab)
        {
            Wrapper = ["prlimit", $"--nofile={descriptors}"],
            Redirections = "3<&- 4<&- 5<&- 6<&- 7<&- 8<&- 9<&-",
            Arguments = ["-s", $"{LabProcess.Port}", "--disable-syslog"],
        }.Run();

        int closed = result.Summary("closed");
        Assert.Equal(closed, lab.State()["server", "aborted"]);
        Assert.Equal(1500, closed + result.Summary("failed"));
        Assert.Equal(closed == 1500 ? 0 : 1, result.ExitCode);
        Assert.True(closed == 1500 || descriptors < 7);
    }

    [Fact]
    public void AnEmptyEnvironmentIsEnough()
    {
        using var lab = LabProcess.Start("--count", "3");

        new ToolRun(lab) { Wrapper = ["env", "-i"], Arguments = ["-s", $"{LabProcess.Port}", "--disable-syslog"] }.Run().Expect(0);

        Assert.Equal(3, lab.State()["server", "aborted"]);
    }

    [Theory]
    [InlineData("mount -o remount,bind,ro /")]
    [InlineData("mount -t tmpfs none /proc")]
    [InlineData("mount -t tmpfs none /sys")]
    public void AReadOnlyOrIncompleteSystemIsEnough(string preparation)
    {
        using var lab = LabProcess.Start("--count", "3");

        new ToolRun(lab) { Wrapper = Mounting(preparation), Arguments = ["-s", $"{LabProcess.Port}", "--disable-syslog"] }.Run().Expect(0);

        Assert.Equal(3, lab.State()["server", "aborted"]);
    }

    [Fact]
    public void CalledByTheNameOfTheOldToolItWorks()
    {
        using var lab = LabProcess.Start("--count", "3");
        using TemporaryFolder folder = new();
        string link = folder.File("tcp_closer");
        File.CreateSymbolicLink(link, Binaries.Tool);

        new ToolRun(lab) { Binary = link, Arguments = ["--sport", $"{LabProcess.Port}", "--idle_time", "0", "--disable_syslog"] }.Run().Expect(0);

        Assert.Equal(3, lab.State()["server", "aborted"]);
    }

    /// <summary>A mount namespace for the program alone, changed by the shell's commands.</summary>
    private static string[] Mounting(string commands) => ["unshare", "-m", "sh", "-ec", commands + "\nexec \"$@\"", "sh"];

    private static void AssertNumbers(string[] calls, string call)
    {
        int[] numbers =
        [
            .. calls.Where(line => line.Contains(call, StringComparison.Ordinal))
                .Select(line => ReturnValue().Match(line))
                .Where(match => match.Success)
                .Select(match => int.Parse(match.Groups[1].ValueSpan, CultureInfo.InvariantCulture)),
        ];
        Assert.NotEmpty(numbers);
        Assert.All(numbers, number => Assert.InRange(number, 3, int.MaxValue));
    }

    [GeneratedRegex(@"= (\d+)\s*$")]
    private static partial Regex ReturnValue();
}
