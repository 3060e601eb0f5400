namespace TcpCloser.Cli;

/// <summary>Comma-separated ports, ranges, and names of /etc/services: <c>22,80,8000-8999,postgresql</c>.</summary>
internal static class PortList
{
    private const string Wanted = "ports are numbers from 1 to 65535 or names in /etc/services, in lists and ranges such as 22,80,8000-8999";

    /// <summary>Adds what the list names.</summary>
    /// <exception cref="UsageException">It is no such list.</exception>
    public static void Parse(string option, string list, List<PortRange> ranges)
    {
        ServicesFile? services = null;
        foreach (Range part in list.AsSpan().Split(','))
        {
            ReadOnlySpan<char> item = list.AsSpan(part);
            if (!TryParse(item, out ushort first, out ushort last))
            {
                // No name of a service is without a letter (RFC 6335), so a wrong number is not looked up.
                services ??= HasLetter(item) ? ServicesFile.Read() : null;
                first = last = services?.PortOf(item) ?? 0;
                if (first == 0)
                {
                    throw UsageException.OfItem(option, item, list, PastedEnd.TrySplit(item.ToString(), out string address, out string port)
                        ? $"an address and a port are two options: {option} {port} {(option is "-s" or "--sport" ? "--src" : "--dst")} {address}"
                        : services?.Problem is { } problem ? $"{Wanted}; {problem}" : Wanted);
                }
            }

            if (first > last)
            {
                throw new UsageException(option, item.ToString(), $"the range {first}-{last} runs backwards; {last}-{first} would be right");
            }

            ranges.Add(new PortRange(first, last));
        }
    }

    private static bool HasLetter(ReadOnlySpan<char> item) => item.ContainsAnyInRange('a', 'z') || item.ContainsAnyInRange('A', 'Z');

    private static bool TryParse(ReadOnlySpan<char> item, out ushort first, out ushort last)
    {
        int dash = item.IndexOf('-');
        last = 0;
        return TryParse(dash < 0 ? item : item[..dash], out first) && TryParse(dash < 0 ? item : item[(dash + 1)..], out last);
    }

    private static bool TryParse(ReadOnlySpan<char> digits, out ushort port)
    {
        bool parsed = Digits.TryParse(digits, ushort.MaxValue, out ulong number) && number > 0;
        port = (ushort)number;
        return parsed;
    }
}
