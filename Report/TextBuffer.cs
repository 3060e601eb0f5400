using System.Buffers.Text;
using System.Runtime.CompilerServices;
using System.Text;
using TcpCloser.Cli;

namespace TcpCloser.Report;

/// <summary>UTF-8 text under construction. Grows, is emptied, never shrinks.</summary>
/// <param name="capacity">How many bytes it has room for before it grows.</param>
internal sealed class TextBuffer(int capacity = 4096)
{
    private byte[] _bytes = new byte[capacity];

    public int Length { get; private set; }

    public ReadOnlySpan<byte> Written => _bytes.AsSpan(0, Length);

    public void Clear() => Length = 0;

    /// <summary>Forgets what stands behind that length.</summary>
    public void Truncate(int length) => Length = length;

    /// <summary>Inlined, as <see cref="Room"/> is: a line is twenty of these, and there is a line for each of perhaps a hundred thousand connections.</summary>
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

    /// <summary>Text from outside: escaped as <see cref="Escape"/> says, and in quotes where it has a space or is empty.</summary>
    public TextBuffer AddUntrusted(ReadOnlySpan<byte> text)
    {
        ReadOnlySpan<byte> quote = text.IsEmpty || text.Contains((byte)' ') ? "\""u8 : [];
        Add(quote);
        Length += Escape.Write(text, Room(text.Length * Escape.MaxGrowth));
        return Add(quote);
    }

    public TextBuffer AddUntrusted(string text) => AddUntrusted(Encoding.UTF8.GetBytes(text));

    /// <summary>Spaces until the text since <paramref name="start"/> is as wide as that.</summary>
    public TextBuffer PadTo(int start, int width)
    {
        while (Length - start < width)
        {
            Add(" "u8);
        }

        return this;
    }

    /// <summary>Room for that many bytes more; who writes there says how many by the methods above.</summary>
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

    /// <summary>Counts bytes written into <see cref="Room"/>.</summary>
    public TextBuffer Advance(int count)
    {
        Length += count;
        return this;
    }
}
