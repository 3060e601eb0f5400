using TcpCloser.Interop;

namespace TcpCloser.Report;

/// <summary>Log lines: UTC time with milliseconds, level, text; gathered, and written by <see cref="Flush"/>.</summary>
internal sealed class Log(LogFile file, Syslog? syslog) : IDisposable
{
    private const int FlushAt = 48 * 1024;

    private readonly TextBuffer _lines = new(FlushAt + 16 * 1024);
    private readonly TextBuffer _second = new();
    private long _secondOf = -1;
    private int _textAt;
    private Level _level;

    /// <summary>Whether a line could not be written.</summary>
    public bool Failed => file.Failed;

    /// <summary>Begins a line; the text is added to what this returns, then <see cref="End"/>.</summary>
    public TextBuffer Begin(Level level) => Begin(level, DateTime.UtcNow);

    /// <summary>The same for one of many lines about what happened at once: asking for the time is a tenth of a line.</summary>
    public TextBuffer Begin(Level level, DateTime now)
    {
        long second = (now.Ticks - DateTime.UnixEpoch.Ticks) / TimeSpan.TicksPerSecond;
        if (second != _secondOf)
        {
            SetSecond(now);
            _secondOf = second;
        }

        _level = level;
        _lines.Add(_second.Written).Add((uint)now.Millisecond, 3).Add(level switch
        {
            Level.Error => "Z error "u8,
            Level.Warning => "Z warning "u8,
            Level.Info => "Z info "u8,
            _ => "Z debug "u8,
        });
        _textAt = _lines.Length;
        return _lines;
    }

    public void End()
    {
        syslog?.Write(_level, _secondOf, _lines.Written[_textAt..]);
        _lines.Add("\n"u8);
        if (_lines.Length >= FlushAt)
        {
            Flush();
        }
    }

    public void Write(Level level, string text)
    {
        Begin(level).Add(text);
        End();
    }

    public void Flush()
    {
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

    private void SetSecond(DateTime now)
    {
        _second.Clear();
        _second.Add((uint)now.Year, 4).Add("-"u8).Add((uint)now.Month, 2).Add("-"u8).Add((uint)now.Day, 2).Add("T"u8)
            .Add((uint)now.Hour, 2).Add(":"u8).Add((uint)now.Minute, 2).Add(":"u8).Add((uint)now.Second, 2).Add("."u8);
    }
}
