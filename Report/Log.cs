using TcpCloser.Rules;

namespace TcpCloser.Report;

/// <summary>Log lines: UTC time with milliseconds, level, text. They are buffered until <see cref="Flush"/>.</summary>
/// <param name="syslog">Receives a copy; null: no copy.</param>
/// <param name="threshold">The least important level that is logged.</param>
/// <param name="rule">The name of the run (<c>--name</c>); null: none.</param>
internal sealed class Log(LogFile file, Syslog? syslog, Level threshold, string? rule) : IDisposable
{
    private const int FlushAt = 48 * 1024;

    private readonly TextBuffer _lines = new(FlushAt + 16 * 1024);
    private readonly Timestamp _time = new();
    private readonly byte[] _end = rule is null ? [] : new TextBuffer(256).Add(" rule="u8).AddUntrusted(rule).Written.ToArray();
    private int _textAt;
    private Level _level;

    /// <summary>Whether a line could not be written.</summary>
    public bool Failed => file.Failed;

    /// <summary>Whether lines of that level are logged.</summary>
    public bool Writes(Level level) => level <= threshold;

    /// <summary>Begins a line of a level that is logged. The caller adds the text to the buffer, then calls <see cref="End"/>.</summary>
    public TextBuffer Begin(Level level)
    {
        _level = level;
        ReadOnlySpan<byte> now = _time.Now;
        if (file.IsJournal)
        {
            // sd-daemon(3): the journal adds the time itself.
            _lines.Add("<"u8).Add((uint)level).Add(">"u8);
        }
        else
        {
            _lines.Add(now).Add(level switch
            {
                Level.Error => " error "u8,
                Level.Warning => " warning "u8,
                Level.Info => " info "u8,
                Level.Debug => " debug "u8,
            });
        }

        _textAt = _lines.Length;
        return _lines;
    }

    public void End()
    {
        _lines.Add(_end);
        syslog?.Write(_level, _time.UnixSeconds, _lines.Written[_textAt..]);
        _lines.Add("\n"u8);
        if (_lines.Length >= FlushAt)
        {
            Flush();
        }
    }

    public void Write(Level level, string text)
    {
        if (Writes(level))
        {
            Begin(level).Add(text);
            End();
            _time.Forget();
        }
    }

    public void Flush()
    {
        _time.Forget();
        long lost = file.TakeLost();
        if (lost > 0)
        {
            Write(Level.Warning, $"{lost} log lines before this one were lost: the reader stalled");
        }

        if (_lines.Length > 0)
        {
            file.Write(_lines.Written);
            _lines.Clear();
        }
    }

    /// <summary>Opens the log file again.</summary>
    public void Reopen()
    {
        Flush();
        try
        {
            file.Reopen();
        }
        catch (SystemCallException e)
        {
            string text = Remedies.Describe(e.Failure) + "; the old file stays open";
            Write(Level.Error, text);
            Flush();
            file.WriteToStderr(text); // the old file may be deleted, and then nobody can read it
        }
    }

    /// <summary>Logs how many lines syslog did not accept, and writes what is left.</summary>
    public void Dispose()
    {
        if (syslog is not null)
        {
            int lost = syslog.Lost;
            if (lost > 0)
            {
                Write(Level.Warning, $"syslog: /dev/log did not accept {lost} lines");
            }

            syslog.Dispose();
        }

        Flush();
        file.Dispose();
    }
}

/// <summary>The level of a line; the values are the severities of syslog(3).</summary>
internal enum Level
{
    Error = 3,
    Warning = 4,
    Info = 6,
    Debug = 7,
}
