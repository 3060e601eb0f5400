using System.Buffers.Text;
using System.Numerics;
using System.Runtime.CompilerServices;
using System.Text;
using TcpCloser.Rules;

namespace TcpCloser.Report;

/// <summary>A buffer for UTF-8 text that grows as needed and never shrinks.</summary>
/// <param name="capacity">The initial size in bytes.</param>
internal sealed class TextBuffer(int capacity = 4096)
{
    /// <summary>Pinned, so that a collection does not copy it, and not cleared: each page that is not touched saves a page fault.</summary>
    private byte[] _bytes = GC.AllocateUninitializedArray<byte>(capacity, pinned: true);

    public int Length { get; private set; }

    public ReadOnlySpan<byte> Written => _bytes.AsSpan(0, Length);

    public void Clear() => Length = 0;

    /// <summary>Removes everything after that length.</summary>
    public void Truncate(int length) => Length = length;

    /// <summary>Inlined, like <see cref="Room"/>: a line takes twenty calls, and a run may log 100,000 lines.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public TextBuffer Add(ReadOnlySpan<byte> text)
    {
        text.CopyTo(Room(text.Length));
        Length += text.Length;
        return this;
    }

    public TextBuffer Add(string text)
    {
        Length += Encoding.UTF8.GetBytes(text, Room(Encoding.UTF8.GetMaxByteCount(text.Length)));
        return this;
    }

    public TextBuffer Add(uint number)
    {
        Utf8Formatter.TryFormat(number, Room(10), out int written);
        Length += written;
        return this;
    }

    public TextBuffer Add(ulong number)
    {
        Utf8Formatter.TryFormat(number, Room(20), out int written);
        Length += written;
        return this;
    }

    /// <summary>A number in lower-case hexadecimal, without leading zeros. By hand: Utf8Formatter's is a kilobyte of code.</summary>
    public TextBuffer AddHexadecimal(ulong number)
    {
        int digits = Math.Max(1, (64 - BitOperations.LeadingZeroCount(number) + 3) / 4);
        Span<byte> room = Room(digits);
        for (int i = digits - 1; i >= 0; i--)
        {
            room[i] = "0123456789abcdef"u8[(int)(number & 0xf)];
            number >>= 4;
        }

        Length += digits;
        return this;
    }

    /// <summary>A number with leading zeros.</summary>
    public TextBuffer Add(uint number, int digits)
    {
        Span<byte> room = Room(digits);
        for (int i = digits - 1; i >= 0; i--)
        {
            room[i] = (byte)('0' + number % 10);
            number /= 10;
        }

        Length += digits;
        return this;
    }

    /// <summary>Text from outside: escaped by <see cref="Escape"/>, and quoted if it contains a space or is empty.</summary>
    public TextBuffer AddUntrusted(ReadOnlySpan<byte> text)
    {
        ReadOnlySpan<byte> quote = text.IsEmpty || text.Contains((byte)' ') ? "\""u8 : [];
        Add(quote);
        Length += Escape.Write(text, Room(text.Length * Escape.MaxGrowth));
        return Add(quote);
    }

    public TextBuffer AddUntrusted(string text) => AddUntrusted(Encoding.UTF8.GetBytes(text));

    /// <summary>Adds spaces until the text from <paramref name="start"/> on has that width.</summary>
    public TextBuffer PadTo(int start, int width)
    {
        while (Length - start < width)
        {
            Add(" "u8);
        }

        return this;
    }

    /// <summary>Space for at least that many more bytes; <see cref="Advance"/> then counts those that were written.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Span<byte> Room(int count)
    {
        if (_bytes.Length - Length < count)
        {
            Grow(count);
        }

        return _bytes.AsSpan(Length);
    }

    private void Grow(int count) => Array.Resize(ref _bytes, Math.Max(_bytes.Length * 2, Length + count));

    /// <summary>Counts bytes that were written to <see cref="Room"/>.</summary>
    public TextBuffer Advance(int count)
    {
        Length += count;
        return this;
    }
}

/// <summary>
/// The timestamp of lines and records: UTC with milliseconds, <c>2026-11-22T14:03:07.412Z</c>. One timestamp per batch: reading the clock
/// is 10 % of a line's cost.
/// </summary>
internal sealed class Timestamp
{
    private readonly TextBuffer _text = new(32);
    private DateTime? _now;
    private long _second = -1;
    private int _secondLength;

    /// <summary>The last timestamp in seconds since 1970.</summary>
    public long UnixSeconds => _second;

    /// <summary>The timestamp of the current batch.</summary>
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

    /// <summary>Ends the batch: the next one reads the clock again.</summary>
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
