using System.Globalization;

namespace TcpCloser.KernelTests;

/// <summary>The program works in a rescue shell: without an environment, without standard streams, on a read-only file system.</summary>
public sealed partial class RestrictedEnvironmentTests
{
    [Theory]
    [Values("<&-", ">&-", "2>&-", "<&- >&-", "<&- 2>&-", ">&- 2>&-", "<&- >&- 2>&-")]
    public void Run_StandardStreamsClosed_TheirNumbersAreNotReused(string closed)
    {
        using var lab = LabProcess.Start("--count", "3");
        using TemporaryDirectory directory = new();
        string trace = directory.File("trace"), log = directory.File("log");

        new ToolRun(lab)
        {
            Wrapper = ["strace", "-f", "-o", trace, "-e", "trace=execve,open,openat,socket,signalfd4,timerfd_create,dup,dup2,dup3,fcntl"],
            Redirections = closed,
            Arguments = ["-s", $"{LabProcess.Port}", "-f", log],
        }.Run().Expect(0);

        lab.ExpectState("server aborted=3");
        Assert.Equal(3, Result.Summary(File.ReadAllLines(log), "closed"));
        string[] calls = [.. File.ReadLines(trace).SkipWhile(line => !line.Contains($"execve(\"{Binaries.Tool}\"")).Skip(1)];
        AssertNumbers(calls, "socket(");
        AssertNumbers(calls, $"\"{log}\"");
    }

    [Fact]
    public void Run_EmptyDevAndNoStandardStreams_ClosesConnections()
    {
        using var lab = LabProcess.Start("--count", "3");

        new ToolRun(lab)
        {
            Wrapper = Mounting("mount -t tmpfs none /dev"),
            Redirections = "<&- >&- 2>&-",
            Arguments = ["-s", $"{LabProcess.Port}"],
        }.Run().Expect(0);

        lab.ExpectState("server aborted=3");
    }

    /// <summary>One thread does all the work; the runtime's own thread sleeps.</summary>
    [Fact]
    public void Run_ThreadsCannotBeStarted_ClosesConnectionsOnOneThread()
    {
        using var lab = LabProcess.Start("--count", "1500");
        using Strace strace = new();
        new ToolRun(lab) { Wrapper = strace.RefusingThreads }.Run("-s", $"{LabProcess.Port}").Expect(0, "closed=1500");
        lab.ExpectState("server aborted=1500");
        Assert.False(strace.RefusedThread);
    }

    [Theory]
    [Values("mount -o remount,bind,ro /", "mount -t tmpfs none /proc", "mount -t tmpfs none /sys")]
    public void Run_ReadOnlyRootOrNoProcOrNoSys_ClosesConnections(string preparation)
    {
        using var lab = LabProcess.Start("--count", "3");
        new ToolRun(lab) { Wrapper = Mounting(preparation) }.Run("-s", $"{LabProcess.Port}").Expect(0);
        lab.ExpectState("server aborted=3");
    }

    [Fact]
    public void Run_OldNameAndOldOptions_ClosesConnections()
    {
        using var lab = LabProcess.Start("--count", "3");
        using TemporaryDirectory directory = new();
        string link = directory.File("tcp_closer");
        File.CreateSymbolicLink(link, Binaries.Tool);
        new ToolRun(lab) { Binary = link, Arguments = ["--sport", $"{LabProcess.Port}", "--idle_time", "0", "--disable_syslog"] }.Run().Expect(0);
        lab.ExpectState("server aborted=3");
    }

    private static string[] Mounting(string commands) => ["unshare", "-m", "sh", "-ec", commands + "\nexec \"$@\"", "sh"];

    private static void AssertNumbers(string[] calls, string call)
    {
        int[] numbers =
        [
            .. calls.Where(line => line.Contains(call))
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
