using System.Text;

namespace TcpCloser.Cli;

/// <summary>
/// Reads JSON (RFC 8259) of any layout, token by token, as far as records of <c>--json</c> need it. By hand: System.Text.Json is too large
/// for this binary.
/// </summary>
internal static class JsonText
{
    /// <summary>The length in bytes of the object at the start of the text; 0: its end is missing; negative: it is not JSON.</summary>
    public static int LengthOf(ReadOnlySpan<byte> text)
    {
        int depth = 0;
        for (int i = 0; i < text.Length; i++)
        {
            switch (text[i])
            {
                case (byte)'{' or (byte)'[':
                    depth++;
                    break;
                case (byte)'}' or (byte)']':
                    depth--;
                    if (depth == 0)
                    {
                        return i + 1;
                    }

                    break;
                case (byte)'"':
                    int end = EndOfString(text, i + 1);
                    if (end <= 0)
                    {
                        return end;
                    }

                    i = end;
                    break;
            }
        }

        return 0;
    }

    /// <summary>The position of the quote that ends a string; 0: it is missing; negative: the string contains a control character.</summary>
    private static int EndOfString(ReadOnlySpan<byte> text, int start)
    {
        for (int i = start; i < text.Length; i++)
        {
            switch (text[i])
            {
                case (byte)'"':
                    return i;
                case (byte)'\\':
                    i++;
                    break;
                case < 0x20:
                    return -1;
            }
        }

        return 0;
    }

    public static bool TryTakeString(scoped ref ReadOnlySpan<byte> rest, out ReadOnlySpan<byte> content)
    {
        content = default;
        if (!TrySkip(ref rest, (byte)'"'))
        {
            return false;
        }

        int end = EndOfString(rest, 0);
        if (end < 0 || end >= rest.Length || rest[end] != '"')
        {
            return false;
        }

        content = rest[..end];
        rest = rest[(end + 1)..];
        return true;
    }

    /// <summary>Takes a value as it is written. The content of objects and arrays is not checked.</summary>
    public static bool TryTakeValue(scoped ref ReadOnlySpan<byte> rest, out ReadOnlySpan<byte> value)
    {
        value = default;
        rest = rest.TrimStart(" \t\r\n"u8);
        if (rest.IsEmpty)
        {
            return false;
        }

        int end = rest[0] switch
        {
            (byte)'"' => EndOfString(rest, 1),
            (byte)'{' or (byte)'[' => LengthOf(rest) - 1,
            (byte)'-' or (>= (byte)'0' and <= (byte)'9') or (byte)'t' or (byte)'f' or (byte)'n' => LengthOfWord(rest) - 1,
            _ => -1, // no value of JSON begins so
        };
        if (end < 0 || (end == 0 && rest[0] == '"'))
        {
            return false;
        }

        value = rest[..(end + 1)];
        rest = rest[(end + 1)..];
        return true;
    }

    /// <summary>The length of a number, <c>true</c>, <c>false</c> or <c>null</c>.</summary>
    private static int LengthOfWord(ReadOnlySpan<byte> text)
    {
        int length = 0;
        while (length < text.Length
            && text[length] is not ((byte)',' or (byte)'}' or (byte)']' or (byte)' ' or (byte)'\t' or (byte)'\r' or (byte)'\n'))
        {
            length++;
        }

        return length;
    }

    public static bool TrySkip(scoped ref ReadOnlySpan<byte> rest, byte mark)
    {
        rest = rest.TrimStart(" \t\r\n"u8);
        if (rest.IsEmpty || rest[0] != mark)
        {
            return false;
        }

        rest = rest[1..];
        return true;
    }

    /// <summary>The content of a string; empty: the value is something else.</summary>
    public static ReadOnlySpan<byte> Unquoted(ReadOnlySpan<byte> value) => value.Length > 1 && value[0] == '"' ? value[1..^1] : default;

    /// <summary>
    /// The bytes of a name: JSON's escapes are resolved first, then <c>\xHH</c>, by which a record writes a byte that is not UTF-8 and a
    /// backslash. Null: an escape is invalid.
    /// </summary>
    public static byte[]? Unescape(ReadOnlySpan<byte> text)
    {
        var name = new byte[text.Length];
        int length = 0;
        while (!text.IsEmpty)
        {
            int used = 1;
            int plain = text.IndexOf((byte)'\\');
            if (plain != 0)
            {
                used = plain < 0 ? text.Length : plain;
                text[..used].CopyTo(name.AsSpan(length));
                length += used;
            }
            else if (text.StartsWith(@"\\x"u8) && text.Length >= 5 && TryHex(text.Slice(3, 2), out int value))
            {
                name[length++] = (byte)value;
                used = 5;
            }
            else if (text.StartsWith(@"\u"u8) && text.Length >= 6 && TryHex(text.Slice(2, 4), out int unit))
            {
                used = 6;
                if (char.IsHighSurrogate((char)unit) && text.Length >= 12 && text[6..].StartsWith(@"\u"u8)
                    && TryHex(text.Slice(8, 4), out int low) && char.IsLowSurrogate((char)low))
                {
                    unit = char.ConvertToUtf32((char)unit, (char)low);
                    used = 12;
                }

                if (!Rune.TryCreate(unit, out Rune rune))
                {
                    return null;
                }

                length += rune.EncodeToUtf8(name.AsSpan(length));
            }
            else
            {
                int known = text.Length < 2 ? -1 : "\"/bfnrt"u8.IndexOf(text[1]);
                if (known < 0)
                {
                    return null;
                }

                name[length++] = "\"/\b\f\n\r\t"u8[known];
                used = 2;
            }

            text = text[used..];
        }

        return name[..length];
    }

    private static bool TryHex(ReadOnlySpan<byte> digits, out int value)
    {
        bool isHex = ConnectionLine.TryParseHex(digits, out ulong number);
        value = (int)number;
        return isHex;
    }
}
