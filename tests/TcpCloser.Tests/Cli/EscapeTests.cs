using System.Globalization;
using System.Text;
using CsCheck;
using TcpCloser.Cli;
using TcpCloser.Report;

namespace TcpCloser.Tests.Cli;

/// <summary>What comes from outside forges no line and drives no terminal.</summary>
public sealed class EscapeTests
{
    [Theory]
    [InlineData("plain text", "plain text")]
    [InlineData("", "")]
    [InlineData("Grüße, 世界 🙂", "Grüße, 世界 🙂")]
    [InlineData("a\nb", "a\\x0Ab")]
    [InlineData("\r\t\0", "\\x0D\\x09\\x00")]
    [InlineData("\u001b[31m", "\\x1B[31m")]
    [InlineData("\u007f", "\\x7F")]
    [InlineData("\u0085\u009b", "\\xC2\\x85\\xC2\\x9B")]
    [InlineData("say \"hi\"", "say \\x22hi\\x22")]
    [InlineData("it's", "it\\x27s")]
    [InlineData("a\\b", "a\\x5Cb")]
    [InlineData("\\x0A", "\\x5Cx0A")]
    [InlineData("\u2028\u2029", "\\xE2\\x80\\xA8\\xE2\\x80\\xA9")]
    [InlineData("\u202a\u202e", "\\xE2\\x80\\xAA\\xE2\\x80\\xAE")]
    [InlineData("\u200e\u200f\u061c", "\\xE2\\x80\\x8E\\xE2\\x80\\x8F\\xD8\\x9C")]
    [InlineData("\u2066\u2069", "\\xE2\\x81\\xA6\\xE2\\x81\\xA9")]
    [InlineData("\ufeff", "\\xEF\\xBB\\xBF")]
    public void Text(string text, string escaped) => Assert.Equal(escaped, Escape.Text(text));

    [Theory]
    [InlineData("ff", "\\xFF")]
    [InlineData("41c3", "A\\xC3")]
    [InlineData("c328", "\\xC3(")]
    [InlineData("c080", "\\xC0\\x80")]
    [InlineData("eda080", "\\xED\\xA0\\x80")]
    [InlineData("f09f99", "\\xF0\\x9F\\x99")]
    [InlineData("f8888080", "\\xF8\\x88\\x80\\x80")]
    [InlineData("e2809c", "“")]
    public void Bytes(string hex, string escaped) => Assert.Equal(escaped, Escape.Text(Convert.FromHexString(hex)));

    [Fact]
    public void NothingThatDrivesATerminalIsLeft() => Gen.Byte.Array[0, 40].Sample(static bytes =>
    {
        string escaped = Escape.Text(bytes);
        Assert.DoesNotContain(escaped, char.IsControl);
        Assert.DoesNotContain(escaped, static c => c is '"' or '\'' or '\ufffd' or '\u061c' or (>= '\u200e' and <= '\u200f')
            or (>= '\u2028' and <= '\u202e') or (>= '\u2066' and <= '\u2069'));
    }, iter: 20_000);

    [Fact]
    public void TheBytesCanBeToldFromTheText() =>
        Gen.OneOf(Gen.Byte.Array[0, 40], Gen.String.Select(Encoding.UTF8.GetBytes))
            .Sample(static bytes => Assert.Equal(bytes, Unescape(Escape.Text(bytes))), iter: 20_000);

    [Theory]
    [InlineData("sshd", "sshd")]
    [InlineData("tmux: server", "\"tmux: server\"")]
    [InlineData("", "\"\"")]
    [InlineData("a\" b", "\"a\\x22 b\"")]
    public void UntrustedTextIsQuotedWhereItHasSpaces(string text, string written) =>
        Assert.Equal(written, Encoding.UTF8.GetString(new TextBuffer().AddUntrusted(Encoding.UTF8.GetBytes(text)).Written));

    /// <summary>It is done for each connection that a process holds, of which there may be a million.</summary>
    [Fact]
    public void ANameInALineTakesNoMemory()
    {
        var text = new TextBuffer();
        long before = 0;
        for (int time = 0; time < 2; time++) // the first time calls what the runtime does once
        {
            before = GC.GetAllocatedBytesForCurrentThread();
            text.AddUntrusted("tmux: server\n"u8);
        }

        Assert.Equal(before, GC.GetAllocatedBytesForCurrentThread());
        Assert.Equal("\"tmux: server\\x0A\"\"tmux: server\\x0A\"", Encoding.UTF8.GetString(text.Written));
    }

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
