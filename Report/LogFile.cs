using System.Text;
using TcpCloser.Cli;
using TcpCloser.Interop;

namespace TcpCloser.Report;

/// <summary>Where log lines go: stderr, or a file that is appended to.</summary>
internal sealed class LogFile : IDisposable
{
    private const uint Mode = 0x1a0; // 0640

    private readonly string? _path;
    private readonly OutputStream _stream;
    private readonly OutputStream _stderr;
    private readonly bool _alsoToStderr;

    /// <param name="path">The file; null: stderr.</param>
    /// <param name="patience">How long to wait for a reader that stalls.</param>
    /// <param name="alsoToStderr">Whether what the file is told goes to stderr, too.</param>
    /// <exception cref="SystemCallException">It cannot be opened.</exception>
    public LogFile(string? path, Patience patience, bool alsoToStderr = false)
    {
        _path = path;
        _alsoToStderr = alsoToStderr && path is not null;
        IsJournal = path is null && JournalStream.IsStderr();
        _stderr = new OutputStream(Unistd.STDERR_FILENO, patience);
        _stream = path is null ? _stderr : new OutputStream(Open(path), patience);
    }

    /// <summary>Whether the lines go to the journal of systemd, which adds the time and passes them on itself.</summary>
    public bool IsJournal { get; }

    /// <summary>Whether a line could not be written.</summary>
    public bool Failed => _stream.Lost > 0 || (_stream.Errno != 0 && !(_path is null && StandardStreams.StderrWasClosed));

    public void Write(ReadOnlySpan<byte> lines)
    {
        bool failedBefore = _stream.Errno != 0;
        int errno = _stream.Write(lines);
        if (errno != 0 && !failedBefore && _path is not null)
        {
            string text = Remedies.Describe(Operation.WriteLog, errno, $"'{Escape.Text(_path)}'");
            _ = _stderr.Write(Encoding.UTF8.GetBytes($"tcp-closer: {text}: lines are missing there\n"));
        }

        if (_alsoToStderr)
        {
            _ = _stderr.Write(lines);
        }
    }

    /// <summary>Takes how many lines were lost to a reader that stalled, as soon as there is room to tell it.</summary>
    public long TakeLost() => _stream.TakeLost();

    /// <summary>Opens the file again, which a log rotation has moved away. Where that fails the old one stays.</summary>
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

    /// <summary>Closes the file, and says on stderr how many lines it did not take.</summary>
    public void Dispose()
    {
        if (_path is not null)
        {
            if (_stream.Untold > 0)
            {
                string path = Escape.Text(_path);
                _ = _stderr.Write(Encoding.UTF8.GetBytes($"tcp-closer: '{path}': the last {_stream.Untold} log lines were lost: their reader had stalled\n"));
            }

            _ = Unistd.close(_stream.Descriptor);
        }
    }

    private static int Open(string path)
    {
        // Not blocking: a FIFO without a reader is an error, not a hang.
        int fd = Fcntl.Open(Fcntl.AT_FDCWD, Encoding.UTF8.GetBytes(path + '\0'),
            Fcntl.O_WRONLY | Fcntl.O_APPEND | Fcntl.O_CREAT | Fcntl.O_NONBLOCK | Fcntl.O_NOCTTY, Mode);
        if (fd < 0)
        {
            throw new SystemCallException(Operation.OpenLog, -fd);
        }

        // Writing to a file of these changes the machine.
        if (Statfs.TypeOf(fd) is Statfs.PROC_SUPER_MAGIC or Statfs.SYSFS_MAGIC || Stat.IsBlockDevice(fd))
        {
            _ = Unistd.close(fd);
            throw new SystemCallException(Operation.OpenLog, Errno.EINVAL);
        }

        return fd;
    }
}
