namespace TcpCloser.KernelTests;

/// <summary>
/// The log file. A line that cannot be written is reported once and changes the exit status; connections are closed all the
/// same.
/// </summary>
public sealed class LogFileTests
{
    [Fact]
    public void LogFile_DiskFull_ConnectionsAreClosedAndTheLossIsReportedOnce()
    {
        using var lab = LabProcess.Start("--count", "600"); // more than two batches
        var result = lab.Tool("-v", "-s", LabProcess.PortText, "-f", "/dev/full").Expect(1);
        Assert.Contains("/dev/full", Assert.Single(result.Log), StringComparison.Ordinal);
        lab.ExpectState("server aborted=600");
    }

    /// <summary>Beyond RLIMIT_FSIZE the kernel sends SIGXFSZ, whose default action ends the process.</summary>
    [Fact]
    public void LogFile_FileSizeLimitReached_ServiceContinues()
    {
        using var lab = LabProcess.Start("--count", "3", "--busy", "3");
        using TemporaryDirectory directory = new();
        string log = directory.File("log");
        using var service = new ToolRun(lab) { Wrapper = ["prlimit", "--fsize=8192", "--core=0"] }
            .Start("-v", "-s", LabProcess.PortText, "-t", "400ms", "-i", "5ms", "-f", log);
        Until.True(() => service.Stderr.Contains("EFBIG"), "the limit");

        lab.Ask("busy-off");
        lab.WaitEnded(3);
        service.Signal("TERM");

        Assert.Contains(log, Assert.Single(service.WaitForEnd().Expect(1).Log), StringComparison.Ordinal);
        Assert.Equal(8192, new FileInfo(log).Length);
        lab.ExpectState("server aborted=3");
    }

    [Fact]
    public void Stderr_DeviceFull_ConnectionsAreClosedAndRunFails()
    {
        using var lab = LabProcess.Start("--count", "3");
        new ToolRun(lab) { Redirections = "2>/dev/full" }.Run("-s", LabProcess.PortText).Expect(1);
        lab.ExpectState("server aborted=3");
    }

    [Fact]
    public void LogFile_SecondRun_AppendsAndIsNotReadableByOthers()
    {
        using var lab = LabProcess.Start("--count", "2");
        using TemporaryDirectory directory = new();
        string log = directory.File("log");

        var result = lab.Tool("-s", LabProcess.PortText, "-f", log).Expect(0);
        string[] first = File.ReadAllLines(log);
        lab.Tool("-s", LabProcess.PortText, $"-f{log}").Expect(0);

        Assert.Empty(result.Log);
        Assert.Equal(2, first.Count(line => line.Contains(" destroyed ")));
        Assert.Equal(first, File.ReadAllLines(log)[..first.Length]);
        Assert.True(File.ReadAllLines(log).Length > first.Length);
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead, File.GetUnixFileMode(log));
    }

    [Theory]
    [Rows("/nowhere/log | ENOENT | create its directory", "/ | EISDIR | a file, not a directory",
        "/etc/passwd/log | ENOTDIR | create its directory", "{fifo} | ENXIO | start the FIFO's reader",
        "/proc/self/oom_score_adj | EINVAL | a regular file, a FIFO or a character device")]
    public void LogFile_CannotBeOpened_IsAUsageErrorWithARemedy(string path, string errno, string remedy)
    {
        using var lab = LabProcess.Start("--count", "2");
        using TemporaryDirectory directory = new();
        string fifo = directory.File("unread");
        Command.Run("mkfifo", fifo).Expect(0);
        path = path.Replace("{fifo}", fifo);
        AssertRefused(lab.Tool("-s", LabProcess.PortText, "-f", path), path, errno, remedy);
        lab.ExpectState("server alive=2");
    }

    [Fact]
    public void LogFile_NotWritableByTheUser_IsAUsageErrorWithARemedy()
    {
        Users.Require();
        using var lab = LabProcess.Start("--count", "2");
        using TemporaryDirectory directory = new();
        string log = directory.File("log");
        File.SetUnixFileMode(directory.Path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute | UnixFileMode.OtherExecute);
        File.WriteAllText(log, "");
        File.SetUnixFileMode(log, UnixFileMode.UserRead | UnixFileMode.UserWrite);

        var result = new ToolRun(lab) { Wrapper = Users.As(Users.Somebody, "net_admin") }.Run("-s", LabProcess.PortText, "-f", log);

        AssertRefused(result, log, "EACCES", "this user may append to");
        lab.ExpectState("server alive=2");
    }

    private static void AssertRefused(Result result, string path, string errno, string remedy)
    {
        string line = result.Expect(2).Log[0];
        Assert.Contains(path, line, StringComparison.Ordinal);
        Assert.Contains(errno, line, StringComparison.Ordinal);
        Assert.Contains(remedy, line, StringComparison.Ordinal);
    }
}
