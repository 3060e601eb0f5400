using System.Runtime.InteropServices;
using System.Runtime.Versioning;
using TcpCloser.Interop;
using TcpCloser.Report;
using TcpCloser.Tests.Support;

namespace TcpCloser.Tests.Report;

/// <summary>The log file: appended to, opened again, never waited for.</summary>
[SupportedOSPlatform("linux")]
public sealed partial class LogFileTests : IDisposable
{
    private static readonly Patience s_patience = new(null);

    private readonly string _directory = Directory.CreateTempSubdirectory("tcp-closer-test-").FullName;

    private string Log => Path.Combine(_directory, "log");

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [Fact]
    public void ItIsAppendedTo()
    {
        File.WriteAllText(Log, "before\n");
        using (var file = new LogFile(Log, s_patience))
        {
            file.Write("after\n"u8);
            Assert.False(file.Failed);
        }

        Assert.Equal("before\nafter\n", File.ReadAllText(Log));
    }

    [Fact]
    public void NobodyElseMayReadItButTheGroup()
    {
        using var file = new LogFile(Log, s_patience);
        UnixFileMode mode = File.GetUnixFileMode(Log);
        const UnixFileMode Wanted = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead;
        Assert.Equal(Wanted & ~UnixFileMode.GroupRead, mode & ~UnixFileMode.GroupRead); // a umask may take the group away
    }

    [Fact]
    public void ReopeningFollowsTheName()
    {
        using var log = new Log(new LogFile(Log, s_patience), syslog: null, Level.Info, rule: null);
        log.Write(Level.Info, "first");
        log.Flush();
        File.Move(Log, Log + ".1");
        log.Write(Level.Info, "second");
        log.Reopen();
        log.Write(Level.Info, "third");
        log.Flush();
        Assert.EndsWith(" info first\n", File.ReadLines(Log + ".1").First() + "\n", StringComparison.Ordinal);
        Assert.Contains("second", File.ReadAllText(Log + ".1"), StringComparison.Ordinal);
        Assert.EndsWith("Z info third\n", File.ReadAllText(Log), StringComparison.Ordinal);
    }

    [Fact]
    public void WhereThatFailsTheOldOneStays()
    {
        using var log = new Log(new LogFile(Log, s_patience), syslog: null, Level.Info, rule: null);
        File.Move(Log, Log + ".1");
        Directory.CreateDirectory(Log);
        log.Reopen();
        log.Write(Level.Info, "after");
        log.Flush();
        string[] lines = File.ReadAllLines(Log + ".1");
        Assert.Contains(" error opening the log file: EISDIR", lines[0], StringComparison.Ordinal);
        Assert.EndsWith("; the old one stays", lines[0], StringComparison.Ordinal);
        Assert.EndsWith(" info after", lines[1], StringComparison.Ordinal);
    }

    [Fact]
    public void AFullDiskIsReportedOnceOnStderr()
    {
        using var file = new LogFile("/dev/full", s_patience);
        string told = Written.ToStderr(() =>
        {
            file.Write("one\n"u8);
            file.Write("two\n"u8);
        });
        Assert.True(file.Failed);
        Assert.Equal("tcp-closer: writing the log '/dev/full': ENOSPC (no space left on device); make room there: lines are missing there\n", told);
    }

    [Fact]
    public void ADirectoryIsNoFile() => Assert.Equal(Errno.EISDIR, Assert.Throws<SystemCallException>(() => new LogFile(_directory, s_patience)).Errno);

    [Fact]
    public void NorIsAPathThatIsNotThere() =>
        Assert.Equal(Errno.ENOENT, Assert.Throws<SystemCallException>(() => new LogFile(Path.Combine(_directory, "no", "log"), s_patience)).Errno);

    [Fact]
    public void AFifoWithoutAReaderIsAnErrorAndNoHang()
    {
        Assert.Equal(0, MakeFifo(Log, 0b110_000_000));
        Assert.Throws<SystemCallException>(() => new LogFile(Log, s_patience));
    }

    /// <summary>A reader of a FIFO that stalls: how much it lost is told as soon as it reads again, or else at the end on stderr.</summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void WhatAStalledReaderLostIsTold(bool readsAgain)
    {
        Assert.Equal(0, MakeFifo(Log, 0b110_000_000));
        string read = "";
        bool failed = false;
        string told = Written.ToStderr(() =>
        {
            using var reader = new FileStream(Log, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite, bufferSize: 0); // so that opening it does not wait
            using var log = new Log(new LogFile(Log, new Patience(TimeSpan.FromMilliseconds(20))), syslog: null, Level.Info, rule: null);
            for (int i = 0; i < 2_000; i++)
            {
                log.Write(Level.Info, new string('x', 80));
            }

            log.Flush();
            if (readsAgain)
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
        if (readsAgain)
        {
            Assert.Empty(told);
            Assert.Matches(@"Z info again\n.*Z warning [0-9]+ log lines before this one were lost: their reader had stalled\n$", read);
        }
        else
        {
            Assert.Matches("^tcp-closer: '.*': the last [0-9]+ log lines were lost: their reader had stalled\n$", told);
        }
    }

    [Fact]
    public void LinesAreWrittenWhenManyAreGathered()
    {
        using var log = new Log(new LogFile(Log, s_patience), syslog: null, Level.Info, rule: null);
        log.Write(Level.Info, "first");
        Assert.Equal(0, new FileInfo(Log).Length);
        for (int i = 0; i < 1_000; i++)
        {
            log.Write(Level.Info, new string('x', 100));
        }

        Assert.InRange(new FileInfo(Log).Length, 48 * 1024, 1_000 * 130);
    }

    /// <summary>The journal of systemd has the time itself, and wants the level in front.</summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void TheJournal(bool isStderr)
    {
        string told = Written.ToStderr(() =>
        {
            (ulong device, ulong inode) = Stat.Identity(Unistd.STDERR_FILENO);
            InProcess.WithEnvironment(() =>
            {
                var file = new LogFile(null, s_patience);
                Assert.Equal(isStderr, file.IsJournal);
                using var log = new Log(file, syslog: null, Level.Info, rule: null);
                log.Write(Level.Warning, "one");
                log.Write(Level.Info, "two");
            }, ("JOURNAL_STREAM", $"{device}:{inode + (isStderr ? 0ul : 1)}"));
        });
        Assert.Matches(isStderr ? @"^<4>one\n<6>two\n$" : @"^[^ <]+Z warning one\n[^ <]+Z info two\n$", told);
    }

    [Theory]
    [InlineData("/proc/self/comm")]
    [InlineData("/sys/kernel/profiling")]
    public void WhatChangesTheMachineIsNoLog(string path)
    {
        Assert.SkipUnless(File.Exists(path), $"there is no {path}");
        Assert.Contains(Assert.Throws<SystemCallException>(() => new LogFile(path, s_patience)).Errno, (int[])[Errno.EINVAL, Errno.EACCES, Errno.EROFS]);
    }

    [LibraryImport("libc", EntryPoint = "mkfifo", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int MakeFifo(string path, uint mode);
}
