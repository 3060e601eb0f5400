using System.Text;
using TcpCloser.Interop;
using TcpCloser.Rules;

namespace TcpCloser.Cli;

/// <summary>
/// Reads a line of text that names a connection: two endpoints, or a line of ss(8) with <c>-n</c>, with or without its Netid and State
/// columns. Whatever follows the endpoints in a line of ss is ignored, except for the cookie (<c>sk:</c>).
/// </summary>
internal static class ConnectionLine
{
    public const string Wanted = "expected a record of --json, a line of ss -tn, or two endpoints such as 10.0.0.1:22 10.0.0.2:5000";

    private const string HasNoPeer = "a listening socket has no peer, so this is not a connection; --state listen and -s select it";

    /// <summary>Reads a line without its line break.</summary>
    /// <param name="scopes">Receives the device, if the line has one.</param>
    /// <param name="connection">The connection; meaningless if the line names none.</param>
    /// <param name="advice">Why the line names no connection; null: it is empty, or the header of ss.</param>
    /// <returns>Whether the line names a connection.</returns>
    public static bool TryParse(ReadOnlySpan<byte> line, NamedConnections scopes, out NamedConnection connection, out string? advice)
    {
        connection = default;
        advice = null;
        ReadOnlySpan<byte> rest = line;
        ReadOnlySpan<byte> word = TakeWord(ref rest);
        if (word.IsEmpty || line.IndexOf("Local Address:Port"u8) >= 0)
        {
            return false;
        }

        bool hasColumns = !word.Contains((byte)':');
        advice = Wanted;
        if (hasColumns && !SkipColumns(ref word, ref rest))
        {
            advice = line[0] == '\t'
                ? "not a connection; a line that ss -i adds has no endpoints: omit -i, or add -O, which prints one line per connection"
                : Wanted;
            return false;
        }

        advice = ParseEnd(word, out connection.Source, out connection.SourcePort, out ReadOnlySpan<byte> sourceDevice);
        if (advice is not null)
        {
            return false;
        }

        word = TakeWord(ref rest);
        word = word.SequenceEqual("->"u8) ? TakeWord(ref rest) : word;
        advice = ParseEnd(word, out connection.Destination, out connection.DestinationPort, out ReadOnlySpan<byte> device);
        if (advice is not null)
        {
            return false;
        }

        if (!sourceDevice.IsEmpty && !device.IsEmpty && !sourceDevice.SequenceEqual(device))
        {
            advice = "the endpoints are on different devices, which no connection can be";
            return false;
        }

        advice = ParseCookie(rest, hasColumns, out connection.Cookie);
        if (advice is null && connection.Cookie == 0) // the cookie is enough
        {
            connection.Scope = scopes.ScopeOf([], sourceDevice.IsEmpty ? device : sourceDevice);
        }

        return advice is null;
    }

    /// <summary>Reads an IPv4 or IPv6 address (inet_pton(3)). An IPv4 address becomes <c>::ffff:a.b.c.d</c>.</summary>
    public static bool TryParseAddress(ReadOnlySpan<byte> text, out Address address)
    {
        int family = text.Contains((byte)':') ? Socket.AF_INET6 : Socket.AF_INET;
        bool isAddress = AddressList.TryParse(text, family, out Address parsed);
        address = Address.ToMapped(in parsed, family);
        return isAddress;
    }

    /// <summary>Reads a cookie: up to 16 hexadecimal digits, and not 0, which no socket has.</summary>
    public static bool TryParseCookie(ReadOnlySpan<byte> digits, out ulong cookie) => TryParseHex(digits, out cookie) && cookie != 0;

    /// <summary>Reads up to 16 hexadecimal digits.</summary>
    public static bool TryParseHex(ReadOnlySpan<byte> digits, out ulong number)
    {
        number = 0;
        foreach (byte digit in digits)
        {
            if (!char.IsAsciiHexDigit((char)digit))
            {
                return false;
            }

            number = number << 4 | (uint)(digit <= '9' ? digit - '0' : (digit | 0x20) - 'a' + 10);
        }

        return digits.Length is > 0 and <= 16;
    }

    /// <summary>Reads a port, which is not 0.</summary>
    public static bool TryParsePort(ReadOnlySpan<byte> digits, out ushort port)
    {
        bool isNumber = IsNumber(digits) && digits.Length <= 5;
        int number = 0;
        for (int i = 0; isNumber && i < digits.Length; i++)
        {
            number = number * 10 + digits[i] - '0';
        }

        port = (ushort)number;
        return number is > 0 and <= ushort.MaxValue;
    }

    /// <summary>Skips the columns in front of the endpoints: Netid, State, and the two queues.</summary>
    private static bool SkipColumns(scoped ref ReadOnlySpan<byte> word, scoped ref ReadOnlySpan<byte> rest)
    {
        if (word.SequenceEqual("tcp"u8))
        {
            word = TakeWord(ref rest);
        }

        if (word.SequenceEqual("ESTAB"u8) || (!IsNumber(word) && StateList.IsState(Encoding.UTF8.GetString(word))))
        {
            word = TakeWord(ref rest);
        }

        if (!IsNumber(word) || !IsNumber(TakeWord(ref rest)))
        {
            return false;
        }

        word = TakeWord(ref rest);
        return true;
    }

    /// <summary>
    /// Reads an endpoint as ss and log lines write it: <c>10.0.0.1%eth0:22</c>, <c>[fe80::1]%eth0:22</c>, <c>[fe80::1%eth0]:22</c>. Returns
    /// what is wrong with it; null: nothing.
    /// </summary>
    private static string? ParseEnd(ReadOnlySpan<byte> word, out Address address, out ushort port, out ReadOnlySpan<byte> device)
    {
        address = default;
        port = 0;
        device = default;
        int colon = word.LastIndexOf((byte)':');
        ReadOnlySpan<byte> digits = word[(colon + 1)..];
        ReadOnlySpan<byte> host = colon < 0 ? default : word[..colon];
        if (host.IsEmpty || digits.IsEmpty)
        {
            return Wanted;
        }

        if (host.SequenceEqual("*"u8) || digits.SequenceEqual("*"u8))
        {
            return HasNoPeer;
        }

        bool isIPv6 = host[0] == '[';
        if (isIPv6)
        {
            int close = host.IndexOf((byte)']');
            ReadOnlySpan<byte> outside = close < 0 ? default : host[(close + 1)..];
            if (close < 0 || (!outside.IsEmpty && outside[0] != '%'))
            {
                return Wanted;
            }

            host = host[1..close];
            device = outside.IsEmpty ? default : outside[1..];
        }

        int percent = host.IndexOf((byte)'%');
        if (percent >= 0)
        {
            device = host[(percent + 1)..];
            host = host[..percent];
        }

        return isIPv6 != host.Contains((byte)':') ? isIPv6 ? Wanted : "an IPv6 address needs brackets, as in [2001:db8::1]:22"
            : !TryParseAddress(host, out address) ? "the address is not a number; print it with ss -n"
            : !TryParsePort(digits, out port) ? "the port is not a number from 1 to 65535; print it with ss -n"
            : device.Length >= NetIf.IFNAMSIZ ? Wanted
            : null;
    }

    /// <summary>
    /// Finds the cookie in what follows the endpoints. Returns what is wrong; null: nothing. A process chooses its name, which ss -p prints
    /// there, so the first of two cookies may not be the socket's.
    /// </summary>
    /// <param name="mayHaveMore">Whether anything else may follow.</param>
    private static string? ParseCookie(ReadOnlySpan<byte> rest, bool mayHaveMore, out ulong cookie)
    {
        cookie = 0;
        for (ReadOnlySpan<byte> word = TakeWord(ref rest); !word.IsEmpty; word = TakeWord(ref rest))
        {
            if (!word.StartsWith("sk:"u8))
            {
                if (!mayHaveMore)
                {
                    return "two endpoints may be followed by sk:COOKIE only";
                }
            }
            else if (cookie != 0)
            {
                return "two cookies (sk:) in one line; omit -p of ss";
            }
            else if (!TryParseCookie(word[3..], out cookie))
            {
                return "the cookie (sk:) is not a hexadecimal number from 1 to ffffffffffffffff";
            }
        }

        return null;
    }

    private static bool IsNumber(ReadOnlySpan<byte> word)
    {
        foreach (byte digit in word)
        {
            if (!char.IsAsciiDigit((char)digit))
            {
                return false;
            }
        }

        return !word.IsEmpty;
    }

    private static ReadOnlySpan<byte> TakeWord(scoped ref ReadOnlySpan<byte> rest)
    {
        rest = rest.TrimStart(" \t\r"u8);
        int end = rest.IndexOfAny(" \t\r"u8);
        ReadOnlySpan<byte> word = end < 0 ? rest : rest[..end];
        rest = rest[word.Length..];
        return word;
    }
}
