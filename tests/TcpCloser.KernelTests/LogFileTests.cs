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

    /// <summary>Beyond its limit (RLIMIT_FSIZE) the kernel sends SIGXFSZ, of which a process dies.</summary>
    [Fact]
    public void AServiceOutlivesTheLimitOfItsLogFile()
    {
        using var lab = LabProcess.Start("--count", "3", "--busy", "3");
        using TemporaryFolder folder = new();
        string log = folder.File("log");
        using var service = new ToolRun(lab)
        {
            Wrapper = ["prlimit", "--fsize=8192", "--core=0"],
            Arguments = ["-v", "-s", s_port, "-t", "400ms", "-i", "5ms", "-f", log, "--disable-syslog"],
        }.Start();
        Until.True(() => service.Stderr.Contains("EFBIG", StringComparison.Ordinal), "the limit");

        lab.Ask("busy-off");
        lab.WaitEnded(3);
        service.Signal("TERM");

        Assert.Contains(log, Assert.Single(service.WaitForEnd().Expect(1).Log), StringComparison.Ordinal);
        Assert.Equal(8192, new FileInfo(log).Length);
        Assert.Equal(3, lab.State()["server", "aborted"]);
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

    [Theory]
    [InlineData("/nowhere/log", "ENOENT", "create its folder")]
    [InlineData("/", "EISDIR", "a file, not a folder")]
    [InlineData("/etc/passwd/log", "ENOTDIR", "create its folder")]
    [InlineData("{fifo}", "ENXIO", "start the FIFO's reader")]
    [InlineData("/proc/self/oom_score_adj", "EINVAL", "a regular file, a FIFO or a character device")]
    public void ALogFileThatCannotBeOpenedIsAUsageErrorWithARemedy(string path, string errno, string remedy)
    {
        using var lab = LabProcess.Start("--count", "2");
        using TemporaryFolder folder = new();
        string fifo = folder.File("unread");
        Command.Run("mkfifo", fifo).Expect(0);
        path = path.Replace("{fifo}", fifo, StringComparison.Ordinal);

        AssertRefused(lab.Tool("-s", s_port, "-f", path), path, errno, remedy);

        Assert.Equal(2, lab.State()["server", "alive"]);
    }

    [Fact]
    public void ALogFileThatThisUserMayNotWriteIsAUsageErrorWithARemedy()
    {
        Users.Require();
        using var lab = LabProcess.Start("--count", "2");
        using TemporaryFolder folder = new();
        string log = folder.File("log");
        File.SetUnixFileMode(folder.Path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute | UnixFileMode.OtherExecute);
        File.WriteAllText(log, "");
        File.SetUnixFileMode(log, UnixFileMode.UserRead | UnixFileMode.UserWrite);

        var result = new ToolRun(lab) { Wrapper = Users.As(Users.Somebody, "net_admin"), Arguments = ["-s", s_port, "-f", log, "--disable-syslog"] }.Run();

        AssertRefused(result, log, "EACCES", "this user may append to");
        Assert.Equal(2, lab.State()["server", "alive"]);
    }

    private static void AssertRefused(Result result, string path, string errno, string remedy)
    {
        string line = result.Expect(2).Log[0];
        Assert.Contains(path, line, StringComparison.Ordinal);
        Assert.Contains(errno, line, StringComparison.Ordinal);
        Assert.Contains(remedy, line, StringComparison.Ordinal);
    }
}
