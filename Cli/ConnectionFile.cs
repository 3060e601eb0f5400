using System.Runtime.InteropServices;
using System.Text;
using TcpCloser.Interop;
using TcpCloser.Rules;

namespace TcpCloser.Cli;

/// <summary>
/// Reads the connections that a file or stdin names for <c>--only</c>: records of <c>--json</c>, in any layout, and lines of text, in any
/// mixture. Only a part of the file is in memory.
/// </summary>
internal sealed class ConnectionFile
{
    /// <summary>The maximum number of lines and records.</summary>
    public const int MaxItems = 1_000_000;

    /// <summary>The maximum length of a line or record, in bytes.</summary>
    public const int MaxLength = 1024 * 1024;

    /// <summary>The number of bytes of an invalid line that are shown.</summary>
    private const int MaxShown = 60;

    private readonly NamedConnections _connections;
    private readonly int _fd;
    private readonly bool _isReadAgain;
    private byte[] _buffer = new byte[64 * 1024];
    private int _start;
    private int _end;
    private bool _isAtEnd;
    private int _line = 1;

    private ConnectionFile(int fd, bool isReadAgain, NamedConnections connections) =>
        (_fd, _isReadAgain, _connections) = (fd, isReadAgain, connections);

    /// <summary>Adds the connections of a file.</summary>
    /// <param name="path">The file; <c>-</c> is stdin.</param>
    /// <param name="isReadAgain">Whether the file is read in each round, and therefore has to be a regular file.</param>
    /// <returns>Why it cannot be read; null: it was read.</returns>
    public static ConnectionFileError? Read(string path, bool isReadAgain, NamedConnections connections)
    {
        if (path == "-")
        {
            return new ConnectionFile(Unistd.STDIN_FILENO, isReadAgain, connections).Read();
        }

        // O_NONBLOCK: opening a FIFO must not block a service.
        int flags = Fcntl.O_RDONLY | Fcntl.O_NOCTTY | (isReadAgain ? Fcntl.O_NONBLOCK : 0);
        int errno = Fcntl.Open(Fcntl.AT_FDCWD, Encoding.UTF8.GetBytes(path + '\0'), flags, out int fd);
        if (errno != 0)
        {
            return new ConnectionFileError(errno);
        }

        try
        {
            return isReadAgain && !Stat.IsRegularFile(fd)
                ? new ConnectionFileError(Errno.EINVAL) { Advice = "a service reads it again in each round, so it must be a regular file" }
                : new ConnectionFile(fd, isReadAgain, connections).Read();
        }
        finally
        {
            _ = Unistd.close(fd);
        }
    }

    private ConnectionFileError? Read()
    {
        for (int items = 0; ; items++)
        {
            int errno = _start < _end ? 0 : Fill();
            if (errno != 0)
            {
                return new ConnectionFileError(errno);
            }

            if (_start == _end)
            {
                return null;
            }

            if (items == MaxItems)
            {
                return Error([], $"more than {MaxItems} lines and records");
            }

            ConnectionFileError? error = _buffer[_start] == '{' ? ReadRecord() : ReadLine();
            if (error is not null)
            {
                return error;
            }
        }
    }

    private ConnectionFileError? ReadRecord()
    {
        int length;
        while ((length = JsonText.LengthOf(_buffer.AsSpan(_start.._end))) == 0)
        {
            if (ReadMore("a record") is { } error)
            {
                return error;
            }

            if (_isAtEnd && JsonText.LengthOf(_buffer.AsSpan(_start.._end)) == 0)
            {
                return Error([], "the end of this record is missing");
            }
        }

        if (length < 0)
        {
            return Error([], "not a record: the JSON is invalid");
        }

        ReadOnlySpan<byte> record = _buffer.AsSpan(_start, length);
        if (ConnectionRecord.TryParse(record, _connections, out NamedConnection connection, out string? advice))
        {
            _connections.Add(in connection);
        }
        else if (advice is not null)
        {
            return Error([], advice);
        }

        _line += record.Count((byte)'\n');
        _start += length;
        ReadOnlySpan<byte> rest = _buffer.AsSpan(_start.._end).TrimStart(" \t\r"u8);
        if (!rest.IsEmpty && rest[0] == '\n')
        {
            _line++;
            _start = _end - rest.Length + 1;
        }

        return null;
    }

    private ConnectionFileError? ReadLine()
    {
        int length;
        while ((length = _buffer.AsSpan(_start.._end).IndexOf((byte)'\n')) < 0 && !_isAtEnd)
        {
            if (ReadMore("a line") is { } error)
            {
                return error;
            }
        }

        ReadOnlySpan<byte> line = _buffer.AsSpan(_start.._end);
        line = length < 0 ? line : line[..length];
        ReadOnlySpan<byte> text = line.TrimStart(" \t\r"u8);
        if (!text.IsEmpty && text[0] == '{')
        {
            _start += line.Length - text.Length;
            return ReadRecord();
        }

        if (ConnectionLine.TryParse(line, _connections, out NamedConnection connection, out string? advice))
        {
            if (length < 0 && _isReadAgain)
            {
                // A port with fewer digits would be another connection.
                return Error(text, "the last line has no line break, so it may be half-written; write another file and rename it");
            }

            _connections.Add(in connection);
        }
        else if (advice is not null)
        {
            return Error(text.TrimEnd(" \t\r"u8), advice);
        }

        _line++;
        _start += length < 0 ? line.Length : length + 1;
        return null;
    }

    /// <summary>Makes room for a longer line or record, and reads on.</summary>
    private ConnectionFileError? ReadMore(string what)
    {
        if (_start == 0 && _end == _buffer.Length)
        {
            if (_buffer.Length >= MaxLength)
            {
                return Error([], $"{what} of more than {MaxLength} bytes");
            }

            Array.Resize(ref _buffer, _buffer.Length * 2);
        }

        int errno = Fill();
        return errno == 0 ? null : new ConnectionFileError(errno);
    }

    /// <summary>
    /// Reads until the buffer is full: an incomplete record is then not scanned again after each small read. Returns 0 or the errno.
    /// </summary>
    private unsafe int Fill()
    {
        _buffer.AsSpan(_start.._end).CopyTo(_buffer);
        (_start, _end) = (0, _end - _start);
        while (!_isAtEnd && _end < _buffer.Length)
        {
            fixed (byte* p = &_buffer[_end])
            {
                nint count = Unistd.read(_fd, p, (nuint)(_buffer.Length - _end));
                int errno = count < 0 ? Marshal.GetLastPInvokeError() : 0;
                if (errno == Errno.EAGAIN)
                {
                    // Another process that has the same stdin made it non-blocking.
                    var wanted = new PollFd { Fd = _fd, Events = Poll.POLLIN };
                    _ = Poll.poll(&wanted, 1, -1);
                    continue;
                }

                if (errno != 0)
                {
                    return errno;
                }

                _isAtEnd = count == 0;
                _end += (int)count;
            }
        }

        return 0;
    }

    private ConnectionFileError Error(ReadOnlySpan<byte> text, string advice) =>
        new(Errno.EINVAL)
        {
            Line = _line,
            Text = text.Length <= MaxShown ? Escape.Text(text) : Escape.Text(text[..MaxShown]) + "...",
            Advice = advice,
        };
}

/// <summary>Why a file with connections cannot be read.</summary>
/// <param name="errno">The errno; EINVAL if the content is invalid.</param>
internal sealed class ConnectionFileError(int errno)
{
    public int Errno { get; } = errno;

    /// <summary>The number of the invalid line, or of the first line of an invalid record; 0: the error is not in a line.</summary>
    public int Line { get; init; }

    /// <summary>The invalid line, escaped and possibly cut; empty: it is not shown.</summary>
    public string Text { private get; init; } = "";

    /// <summary>What is wrong; null: the errno is enough.</summary>
    public string? Advice { private get; init; }

    /// <summary><c>line 3 'x': expected …</c>.</summary>
    public string Description =>
        (Line == 0 ? "" : Text.Length == 0 ? $"line {Line}: " : $"line {Line} '{Text}': ") + (Advice ?? Interop.Errno.Describe(Errno));
}
