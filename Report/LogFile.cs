using System.Text;
using TcpCloser.Interop;

namespace TcpCloser.Report;

/// <summary>Where log lines go: stderr, or a file that is appended to.</summary>
internal sealed class LogFile : IDisposable
{
    private const uint Mode = 0x1a0; // 0640
    private readonly string? _path;
    private int _fd = Unistd.STDERR_FILENO;

    /// <param name="path">The file; null: stderr.</param>
    /// <exception cref="SystemCallException">It cannot be opened.</exception>
    public LogFile(string? path)
    {
        _path = path;
        if (path is not null)
        {
            _fd = Open(path);
        }
    }

    /// <summary>Whether a line could not be written.</summary>
    public bool Failed { get; private set; }

    public void Write(ReadOnlySpan<byte> lines)
    {
        int errno = StandardStreams.Write(_fd, lines);
        if (errno == 0 || (_path is null && StandardStreams.StderrWasClosed))
        {
            return;
        }

        if (!Failed && _path is not null)
        {
            string message = $"tcp-closer: writing the log '{Cli.Escape.Text(_path)}': {Errno.Describe(errno)}; lines are missing there\n";
            _ = StandardStreams.Write(Unistd.STDERR_FILENO, Encoding.UTF8.GetBytes(message));
        }

        Failed = true;
    }

    /// <summary>Opens the file again, which a log rotation has moved away. Where that fails the old one stays.</summary>
    /// <exception cref="SystemCallException">It cannot be opened.</exception>
    public void Reopen()
    {
        if (_path is not null)
        {
            int fd = Open(_path);
            _ = Unistd.close(_fd);
            _fd = fd;
        }
    }

    public void Dispose()
    {
        if (_path is not null)
        {
            _ = Unistd.close(_fd);
        }
    }

    private static int Open(string path)
    {
        // Not blocking: a FIFO without a reader is an error, not a hang.
        int fd = Fcntl.Open(Fcntl.AT_FDCWD, Encoding.UTF8.GetBytes(path + '\0'),
            Fcntl.O_WRONLY | Fcntl.O_APPEND | Fcntl.O_CREAT | Fcntl.O_NONBLOCK, Mode);
        return fd >= 0 ? fd : throw new SystemCallException("opening the log file", -fd);
    }
}
