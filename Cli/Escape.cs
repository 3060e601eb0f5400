using System.Globalization;
using System.Text;

namespace TcpCloser.Cli;

/// <summary>
/// How text from outside is written: control characters, quotes, backslashes, line separators, text-direction marks and
/// invalid UTF-8 as <c>\xHH</c>, a byte each.
/// </summary>
internal static class Escape
{
    /// <summary>The escaped text of a command line word.</summary>
    public static string Text(string value) => Text(Encoding.UTF8.GetBytes(value));

    /// <summary>The escaped text of bytes that should be UTF-8.</summary>
    public static string Text(ReadOnlySpan<byte> bytes)
    {
        var text = new StringBuilder(bytes.Length);
        while (!bytes.IsEmpty)
        {
            int length = PlainLength(bytes);
            if (length > 0)
            {
                text.Append(Encoding.UTF8.GetString(bytes[..length]));
            }
            else
            {
                length = 1;
                text.Append("\\x").Append(bytes[0].ToString("X2", CultureInfo.InvariantCulture));
            }

            bytes = bytes[length..];
        }

        return text.ToString();
    }

    /// <summary>How many of the first bytes are one character that may be written as it is; 0: write one byte as <c>\xHH</c>.</summary>
    public static int PlainLength(ReadOnlySpan<byte> bytes)
    {
        byte first = bytes[0];
        if (first < 0x80)
        {
            return first is < 0x20 or 0x7f or (byte)'"' or (byte)'\'' or (byte)'\\' ? 0 : 1;
        }

        if (Rune.DecodeFromUtf8(bytes, out Rune rune, out int length) != System.Buffers.OperationStatus.Done)
        {
            return 0;
        }

        // C1 controls, line and paragraph separators, direction marks and overrides, the byte order mark, the replacement character.
        return rune.Value is (>= 0x80 and < 0xa0) or 0x61c or (>= 0x200e and <= 0x200f) or (>= 0x2028 and <= 0x202e)
            or (>= 0x2066 and <= 0x2069) or 0xfeff or 0xfffd ? 0 : length;
    }
}
