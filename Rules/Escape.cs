using System.Buffers;
using System.Buffers.Text;
using System.Text;

namespace TcpCloser.Rules;

/// <summary>
/// Escapes text from outside: each byte of control characters, quotes, backslashes, line separators, text-direction marks and
/// invalid UTF-8 is written as <c>\xHH</c>.
/// </summary>
internal static class Escape
{
    /// <summary>The number of bytes that <c>\xHH</c> writes for one.</summary>
    public const int MaxGrowth = 4;

    /// <summary>Escapes a word of the command line.</summary>
    public static string Text(string value) => Text(Encoding.UTF8.GetBytes(value));

    /// <summary>Escapes bytes that should be UTF-8.</summary>
    public static string Text(ReadOnlySpan<byte> bytes)
    {
        Span<byte> text = new byte[bytes.Length * MaxGrowth];
        return Encoding.UTF8.GetString(text[..Write(bytes, text)]);
    }

    /// <summary>
    /// Escapes bytes into a buffer of at least <see cref="MaxGrowth"/> times their length. Returns the number of bytes written.
    /// </summary>
    public static int Write(ReadOnlySpan<byte> bytes, Span<byte> target)
    {
        int written = 0;
        while (!bytes.IsEmpty)
        {
            int length = PlainLength(bytes);
            if (length > 0)
            {
                bytes[..length].CopyTo(target[written..]);
                written += length;
            }
            else
            {
                length = 1;
                (target[written], target[written + 1]) = ((byte)'\\', (byte)'x');
                Utf8Formatter.TryFormat(bytes[0], target[(written + 2)..], out _, new StandardFormat('X', 2));
                written += MaxGrowth;
            }

            bytes = bytes[length..];
        }

        return written;
    }

    /// <summary>The length in bytes of the first character if it needs no escape; 0: escape the first byte.</summary>
    public static int PlainLength(ReadOnlySpan<byte> bytes)
    {
        byte first = bytes[0];
        if (first < 0x80)
        {
            return first is < 0x20 or 0x7f or (byte)'"' or (byte)'\'' or (byte)'\\' ? 0 : 1;
        }

        if (Rune.DecodeFromUtf8(bytes, out Rune rune, out int length) != OperationStatus.Done)
        {
            return 0;
        }

        // C1 controls, line and paragraph separators, direction marks and overrides, the byte order mark, the replacement character.
        return rune.Value is (>= 0x80 and < 0xa0) or 0x61c or (>= 0x200e and <= 0x200f) or (>= 0x2028 and <= 0x202e)
            or (>= 0x2066 and <= 0x2069) or 0xfeff or 0xfffd ? 0 : length;
    }
}
