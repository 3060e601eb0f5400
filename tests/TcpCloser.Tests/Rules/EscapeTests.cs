using System.Globalization;
using System.Text;
using CsCheck;

namespace TcpCloser.Tests.Rules;

/// <summary>Text from outside cannot forge a log line or control a terminal.</summary>
public sealed class EscapeTests
{
    [Theory]
    [Rows("plain text | plain text", "Grüße, 世界 🙂 | Grüße, 世界 🙂", "a\nb | a\\x0Ab", "\r\t\0 | \\x0D\\x09\\x00", "\u001b[31m | \\x1B[31m",
        "\u007f | \\x7F", "\u0085\u009b | \\xC2\\x85\\xC2\\x9B", "say \"hi\" | say \\x22hi\\x22", "it's | it\\x27s", "a\\b | a\\x5Cb",
        "\\x0A | \\x5Cx0A", "\u2028\u2029 | \\xE2\\x80\\xA8\\xE2\\x80\\xA9", "\u202a\u202e | \\xE2\\x80\\xAA\\xE2\\x80\\xAE",
        "\u200e\u200f\u061c | \\xE2\\x80\\x8E\\xE2\\x80\\x8F\\xD8\\x9C", "\u2066\u2069 | \\xE2\\x81\\xA6\\xE2\\x81\\xA9",
        "\ufeff | \\xEF\\xBB\\xBF")]
    [InlineData("", "")]
    public void Text_SpecialCharacters_AreEscaped(string text, string escaped) => Assert.Equal(escaped, Escape.Text(text));

    [Theory]
    [Rows("ff | \\xFF", "41c3 | A\\xC3", "c328 | \\xC3(", "c080 | \\xC0\\x80", "eda080 | \\xED\\xA0\\x80", "f09f99 | \\xF0\\x9F\\x99",
        "f8888080 | \\xF8\\x88\\x80\\x80", "e2809c | “")]
    public void Text_InvalidUtf8_IsEscapedByteByByte(string hex, string escaped) =>
        Assert.Equal(escaped, Escape.Text(Convert.FromHexString(hex)));

    [Fact]
    public void Text_RandomBytes_HasNoControlCharacterLeft() => Gen.Byte.Array[0, 40].Sample(static bytes =>
    {
        string escaped = Escape.Text(bytes);
        Assert.DoesNotContain(escaped, char.IsControl);
        Assert.DoesNotContain(escaped, static c => c is '"' or '\'' or '\ufffd' or '\u061c' or (>= '\u200e' and <= '\u200f')
            or (>= '\u2028' and <= '\u202e') or (>= '\u2066' and <= '\u2069'));
    }, iter: 20_000);

    [Fact]
    public void Text_RandomBytes_CanBeUnescaped() =>
        Gen.OneOf(Gen.Byte.Array[0, 40], Gen.String.Select(Encoding.UTF8.GetBytes))
            .Sample(static bytes => Assert.Equal(bytes, Unescape(Escape.Text(bytes))), iter: 20_000);

    [Theory]
    [Rows("sshd | sshd", "tmux: server | \"tmux: server\"", "a\" b | \"a\\x22 b\"")]
    [InlineData("", "\"\"")]
    public void AddUntrusted_EmptyOrWithSpaces_IsQuoted(string text, string written) =>
        Assert.Equal(written, Encoding.UTF8.GetString(new TextBuffer().AddUntrusted(Encoding.UTF8.GetBytes(text)).Written));

    private static byte[] Unescape(string escaped)
    {
        var bytes = new List<byte>();
        for (int i = 0; i < escaped.Length;)
        {
            if (escaped[i] == '\\')
            {
                Assert.Equal('x', escaped[i + 1]);
                bytes.Add(byte.Parse(escaped.AsSpan(i + 2, 2), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture));
                i += 4;
            }
            else
            {
                int length = char.IsHighSurrogate(escaped[i]) ? 2 : 1;
                bytes.AddRange(Encoding.UTF8.GetBytes(escaped.Substring(i, length)));
                i += length;
            }
        }

        return [.. bytes];
    }
}
