using System.Globalization;

namespace TcpCloser.Cli;

/// <summary>A firewall mark (SO_MARK) and the bits of it that count, as ss(8) takes them: <c>0x10/0xff</c>.</summary>
internal readonly struct SocketMark(uint mark, uint mask)
{
    public uint Mark { get; } = mark;

    public uint Mask { get; } = mask;

    /// <exception cref="UsageException">It is no mark.</exception>
    public static SocketMark Parse(string option, string value)
    {
        int slash = value.IndexOf('/');
        uint mask = uint.MaxValue;
        if (!TryParse(slash < 0 ? value : value.AsSpan(0, slash), out uint mark) || (slash >= 0 && !TryParse(value.AsSpan(slash + 1), out mask)))
        {
            throw new UsageException(option, value, "a mark is a number or NUMBER/MASK, decimal or hexadecimal, such as 0x10/0xff");
        }

        return (mark & ~mask) == 0
            ? new SocketMark(mark, mask)
            : throw new UsageException(option, value, "the mark has bits that the mask leaves out, so nothing can match");
    }

    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"0x{Mark:x}/0x{Mask:x}");

    private static bool TryParse(ReadOnlySpan<char> text, out uint value)
    {
        if (text.StartsWith("0x", StringComparison.OrdinalIgnoreCase))
        {
            return uint.TryParse(text[2..], NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out value);
        }

        bool parsed = Digits.TryParse(text, uint.MaxValue, out ulong digits);
        value = (uint)digits;
        return parsed;
    }
}
