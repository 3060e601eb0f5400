using TcpCloser.Interop;

namespace TcpCloser.Report;

/// <summary>Log lines: UTC time with milliseconds, level, text; gathered, and written by <see cref="Flush"/>.</summary>
/// <param name="file">Where they go.</param>
/// <param name="syslog">Where a copy goes; null: nowhere.</param>
/// <param name="threshold">The last level that is written.</param>
/// <param name="rule">What the run is called; null: it has no name.</param>
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

    /// <summary>Whether lines of that level are written.</summary>
    public bool Writes(Level level) => level <= threshold;

    /// <summary>Begins a line of a level that is written; the text is added to what this returns, then <see cref="End"/>.</summary>
    public TextBuffer Begin(Level level)
    {
        _level = level;
        ReadOnlySpan<byte> now = _time.Now;
        if (file.IsJournal)
        {
            // sd-daemon(3): the journal has the time itself.
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
            Write(Level.Warning, $"{lost} log lines before this one were lost: their reader had stalled");
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
            Write(Level.Error, Remedies.Describe(e) + "; the old one stays");
            Flush();
        }
    }

    /// <summary>Says how many lines syslog did not take.</summary>
    public void Dispose()
    {
        if (syslog is not null)
        {
            int lost = syslog.Lost;
            if (lost > 0)
            {
                Write(Level.Warning, $"syslog: /dev/log did not take {lost} lines");
            }

            syslog.Dispose();
        }

        Flush();
        file.Dispose();
    }
}
