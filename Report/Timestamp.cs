namespace TcpCloser.Report;

/// <summary>
/// The time as lines and records have it: UTC with milliseconds, <c>2026-11-22T14:03:07.412Z</c>. What is told at once has one time:
/// asking for it is a tenth of a line.
/// </summary>
internal sealed class Timestamp
{
    private readonly TextBuffer _text = new(32);
    private DateTime? _now;
    private long _second = -1;
    private int _secondLength;

    /// <summary>Seconds since 1970 of the last time that was asked for.</summary>
    public long UnixSeconds => _second;

    /// <summary>The time since <see cref="Forget"/>.</summary>
    public ReadOnlySpan<byte> Now
    {
        get
        {
            if (_now is null)
            {
                _now = DateTime.UtcNow;
                Write(_now.Value);
            }

            return _text.Written;
        }
    }

    /// <summary>What comes next is told later.</summary>
    public void Forget() => _now = null;

    private void Write(DateTime now)
    {
        long second = (now.Ticks - DateTime.UnixEpoch.Ticks) / TimeSpan.TicksPerSecond;
        if (second != _second)
        {
            _second = second;
            _text.Clear();
            _text.Add((uint)now.Year, 4).Add("-"u8).Add((uint)now.Month, 2).Add("-"u8).Add((uint)now.Day, 2).Add("T"u8)
                .Add((uint)now.Hour, 2).Add(":"u8).Add((uint)now.Minute, 2).Add(":"u8).Add((uint)now.Second, 2).Add("."u8);
            _secondLength = _text.Length;
        }

        _text.Truncate(_secondLength);
        _text.Add((uint)now.Millisecond, 3).Add("Z"u8);
    }
}
