using System.Runtime.InteropServices;
using System.Runtime.Versioning;

namespace TcpCloser.Tests.Report;

/// <summary>The log file: appended to, reopened, never waited for.</summary>
[SupportedOSPlatform("linux")]
public sealed partial class LogFileTests : IDisposable
{
    private static readonly StallPolicy s_stalls = new(null);

    private readonly TemporaryDirectory _directory = new();

    private string Log => Path.Combine(_directory.Path, "log");

    public void Dispose() => _directory.Dispose();

    [Fact]
    public void Write_ExistingFile_Appends()
    {
        File.WriteAllText(Log, "before\n");
        using var file = new LogFile(Log, s_stalls);
        file.Write("after\n"u8);
        Assert.False(file.Failed);
        Assert.Equal("before\nafter\n", File.ReadAllText(Log));
    }

    [Fact]
    public void Open_NewFile_IsNotReadableForOthers()
    {
        using var file = new LogFile(Log, s_stalls);
        UnixFileMode mode = File.GetUnixFileMode(Log) & ~UnixFileMode.GroupRead; // a umask may clear the bit of the group
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, mode);
    }

    [Fact]
    public void Reopen_FileWasMoved_WritesToANewFile()
    {
        using Log log = NewLog(new LogFile(Log, s_stalls));
        log.Write(Level.Info, "first");
        log.Flush();
        File.Move(Log, Log + ".1");
        log.Write(Level.Info, "second");
        log.Reopen();
        log.Write(Level.Info, "third");
        log.Flush();
        Assert.Matches("^[^ ]+ info first\n.*second", File.ReadAllText(Log + ".1"));
        Assert.EndsWith("Z info third\n", File.ReadAllText(Log), StringComparison.Ordinal);
    }

    [Fact]
    public void Reopen_Fails_KeepsTheOldFile()
    {
        using Log log = NewLog(new LogFile(Log, s_stalls));
        File.Move(Log, Log + ".1");
        Directory.CreateDirectory(Log);
        string printed = Written.ToStderr(log.Reopen);
        Assert.StartsWith("tcp-closer: opening the log file: EISDIR", printed, StringComparison.Ordinal);
        log.Write(Level.Info, "after");
        log.Flush();
        string[] lines = File.ReadAllLines(Log + ".1");
        Assert.Contains(" error opening the log file: EISDIR", lines[0], StringComparison.Ordinal);
        Assert.EndsWith("; the old file stays open", lines[0], StringComparison.Ordinal);
        Assert.EndsWith(" info after", lines[1], StringComparison.Ordinal);
    }

    [Fact]
    public void Write_DiskIsFull_IsReportedOnceOnStderr()
    {
        using var file = new LogFile("/dev/full", s_stalls);
        string printed = Written.ToStderr(() =>
        {
            file.Write("one\n"u8);
            file.Write("two\n"u8);
        });
        Assert.True(file.Failed);
        Assert.Equal("tcp-closer: writing the log '/dev/full': ENOSPC (no space left on device); free some space there: log lines are missing there\n", printed);
    }

    [Fact]
    public void Open_PathIsNotAFileToWrite_FailsWithoutWaiting()
    {
        Assert.Equal(Errno.EISDIR, ErrnoOfOpening(_directory.Path));
        Assert.Equal(Errno.ENOENT, ErrnoOfOpening(Path.Combine(_directory.Path, "no", "log")));
        Assert.Equal(0, MakeFifo(Log, 0b110_000_000));
        ErrnoOfOpening(Log); // it has no reader
    }

    /// <summary>The number of lost lines is logged once the reader reads again, or else printed to stderr at the end.</summary>
    [Theory]
    [Values(true, false)]
    public void Write_FifoReaderStalls_ReportsTheLostLines(bool readerResumes)
    {
        Assert.Equal(0, MakeFifo(Log, 0b110_000_000));
        string read = "";
        bool failed = false;
        string printed = Written.ToStderr(() =>
        {
            using var reader = new FileStream(Log, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite, bufferSize: 0); // opened both ways, so as not to wait
            using Log log = NewLog(new LogFile(Log, new StallPolicy(TimeSpan.FromMilliseconds(20))));
            for (int i = 0; i < 2_000; i++)
            {
                log.Write(Level.Info, new string('x', 80));
            }

            log.Flush();
            if (readerResumes)
            {
                byte[] buffer = new byte[64 * 1024];
                Assert.True(reader.Read(buffer) > 0);
                log.Write(Level.Info, "again");
                log.Flush();
                read = System.Text.Encoding.UTF8.GetString(buffer, 0, reader.Read(buffer));
            }

            failed = log.Failed;
        });
        Assert.True(failed);
        Assert.Matches(readerResumes ? "^$" : "^tcp-closer: '.*': the last [0-9]+ log lines were lost: the reader stalled\n$", printed);
        Assert.Matches(readerResumes ? @"Z info again\n.*Z warning [0-9]+ log lines before this one were lost: the reader stalled\n$" : "^$", read);
    }

    [Fact]
    public void Write_FewLines_AreBufferedUntilThereAreMany()
    {
        using Log log = NewLog(new LogFile(Log, s_stalls));
        log.Write(Level.Info, "first");
        Assert.Equal(0, new FileInfo(Log).Length);
        for (int i = 0; i < 1_000; i++)
        {
            log.Write(Level.Info, new string('x', 100));
        }

        Assert.InRange(new FileInfo(Log).Length, 48 * 1024, 1_000 * 130);
    }

    /// <summary>systemd's journal adds the time itself and expects the level as a prefix.</summary>
    [Theory]
    [Values(true, false)]
    public void Write_StderrIsTheJournalOrNot_HasLevelOrTime(bool isStderr)
    {
        string printed = Written.ToStderr(() =>
        {
            (ulong device, ulong inode) = Stat.Identity(Unistd.STDERR_FILENO);
            InProcess.WithEnvironment(() =>
            {
                var file = new LogFile(null, s_stalls);
                Assert.Equal(isStderr, file.IsJournal);
                using Log log = NewLog(file);
                log.Write(Level.Warning, "one");
                log.Write(Level.Info, "two");
            }, ("JOURNAL_STREAM", $"{device}:{inode + (isStderr ? 0ul : 1)}"));
        });
        Assert.Matches(isStderr ? @"^<4>one\n<6>two\n$" : @"^[^ <]+Z warning one\n[^ <]+Z info two\n$", printed);
    }

    [Theory]
    [Values("/proc/self/comm", "/sys/kernel/profiling")]
    public void Open_FileOfProcOrSys_Fails(string path)
    {
        Assert.SkipUnless(File.Exists(path), $"there is no {path}");
        Assert.Contains(ErrnoOfOpening(path), (int[])[Errno.EINVAL, Errno.EACCES, Errno.EROFS]);
    }

    private static Log NewLog(LogFile file) => new(file, syslog: null, Level.Info, rule: null);

    private static int ErrnoOfOpening(string path) => Assert.Throws<SystemCallException>(() => new LogFile(path, s_stalls)).Failure.Errno;

    [LibraryImport("libc", EntryPoint = "mkfifo", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int MakeFifo(string path, uint mode);
}
