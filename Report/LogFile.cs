using System.Globalization;
using System.Text;
using TcpCloser.Interop;
using TcpCloser.Rules;

namespace TcpCloser.Report;

/// <summary>The destination of log lines: stderr, or a file that is appended to.</summary>
internal sealed class LogFile : IDisposable
{
    private const uint Mode = 0x1a0; // 0640

    private readonly string? _path;
    private readonly OutputStream _stream;
    private readonly OutputStream _stderr;
    private readonly bool _alsoToStderr;

    /// <param name="path">The file; null: stderr.</param>
    /// <param name="alsoToStderr">Whether lines of the file are also written to stderr.</param>
    /// <exception cref="SystemCallException">It cannot be opened.</exception>
    public LogFile(string? path, StallPolicy stalls, bool alsoToStderr = false)
    {
        _path = path;
        _alsoToStderr = alsoToStderr && path is not null;
        IsJournal = path is null && JournalStream.IsStderr();
        _stderr = new OutputStream(Unistd.STDERR_FILENO, stalls);
        _stream = path is null ? _stderr : new OutputStream(Open(path), stalls);
    }

    /// <summary>Whether lines go to the systemd journal, which adds the time and forwards to syslog itself.</summary>
    public bool IsJournal { get; }

    /// <summary>Whether a line could not be written.</summary>
    public bool Failed => _stream.Lost > 0 || (_stream.Errno != 0 && !(_path is null && StandardStreams.StderrWasClosed));

    /// <summary>Writes a line to stderr as well, unless every line goes there.</summary>
    public void WriteToStderr(string text)
    {
        if (!_alsoToStderr)
        {
            _ = _stderr.Write(Encoding.UTF8.GetBytes($"tcp-closer: {text}\n"));
        }
    }

    public void Write(ReadOnlySpan<byte> lines)
    {
        bool failedBefore = _stream.Errno != 0;
        int errno = _stream.Write(lines);
        if (errno != 0 && !failedBefore && _path is not null)
        {
            string text = Remedies.Describe(new Failure(Operation.WriteLog, errno, $"'{Escape.Text(_path)}'"));
            _ = _stderr.Write(Encoding.UTF8.GetBytes($"tcp-closer: {text}: log lines are missing there\n"));
        }

        if (_alsoToStderr)
        {
            _ = _stderr.Write(lines);
        }
    }

    /// <summary>Returns and resets the number of lines that a stalled reader lost, as soon as a line about it can be written.</summary>
    public long TakeLost() => _stream.TakeLost();

    /// <summary>Opens the path again after a log rotation. If that fails, the old file stays open.</summary>
    /// <exception cref="SystemCallException">It cannot be opened.</exception>
    public void Reopen()
    {
        if (_path is not null)
        {
            int fd = Open(_path);
            _ = Unistd.close(_stream.Descriptor);
            _stream.Descriptor = fd;
        }
    }

    /// <summary>Closes the file, and reports lost lines on stderr.</summary>
    public void Dispose()
    {
        if (_path is not null)
        {
            if (_stream.UnreportedLost > 0)
            {
                string path = Escape.Text(_path);
                _ = _stderr.Write(Encoding.UTF8.GetBytes($"tcp-closer: '{path}': the last {_stream.UnreportedLost} log lines were lost: the reader stalled\n"));
            }

            _ = Unistd.close(_stream.Descriptor);
        }
    }

    private static int Open(string path)
    {
        // O_NONBLOCK: opening a FIFO without a reader fails instead of blocking.
        int errno = Fcntl.Open(Fcntl.AT_FDCWD, Encoding.UTF8.GetBytes(path + '\0'),
            Fcntl.O_WRONLY | Fcntl.O_APPEND | Fcntl.O_CREAT | Fcntl.O_NONBLOCK | Fcntl.O_NOCTTY, out int fd, Mode);
        if (errno != 0)
        {
            throw new SystemCallException(new Failure(Operation.OpenLog, errno));
        }

        // Writing to files on procfs and sysfs, or to a block device, changes the machine.
        if (Statfs.TypeOf(fd) is Statfs.PROC_SUPER_MAGIC or Statfs.SYSFS_MAGIC || Stat.IsBlockDevice(fd))
        {
            _ = Unistd.close(fd);
            throw new SystemCallException(new Failure(Operation.OpenLog, Errno.EINVAL));
        }

        return fd;
    }
}

/// <summary>
/// Whether stderr is the journal: JOURNAL_STREAM names its device and inode (systemd.exec(5)). The variable may be inherited and name
/// another stream.
/// </summary>
internal static class JournalStream
{
    public static bool IsStderr()
    {
        string? stream = Environment.GetEnvironmentVariable("JOURNAL_STREAM");
        if (stream is null)
        {
            return false;
        }

        (ulong device, ulong inode) = Stat.Identity(Unistd.STDERR_FILENO);
        return inode != 0 && stream == string.Create(CultureInfo.InvariantCulture, $"{device}:{inode}");
    }
}
