namespace TcpCloser.Cli;

/// <summary>Decimal digits and nothing else: no sign, no white space, no overflow.</summary>
internal static class Digits
{
    public static bool TryParse(ReadOnlySpan<char> text, ulong max, out ulong value)
    {
        value = 0;
        foreach (char c in text)
        {
            if (!char.IsAsciiDigit(c) || value > (max - (ulong)(c - '0')) / 10)
            {
                return false;
            }

            value = value * 10 + (ulong)(c - '0');
        }

        return text.Length > 0;
    }
}
