namespace TcpCloser.Cli;

/// <summary>Comma-separated ports and ranges: <c>22,80,8000-8999</c>.</summary>
internal static class PortList
{
    private const string Wanted = "ports are numbers from 1 to 65535, in lists and ranges such as 22,80,8000-8999";

    /// <summary>Adds what the list names.</summary>
    /// <exception cref="UsageException">It is no such list.</exception>
    public static void Parse(string option, string list, List<PortRange> ranges)
    {
        foreach (Range part in list.AsSpan().Split(','))
        {
            ReadOnlySpan<char> item = list.AsSpan(part);
            int dash = item.IndexOf('-');
            ushort first = Port(option, list, dash < 0 ? item : item[..dash]);
            ushort last = dash < 0 ? first : Port(option, list, item[(dash + 1)..]);
            if (first > last)
            {
                throw new UsageException(option, list, $"the range {first}-{last} runs backwards; {last}-{first} would be right");
            }

            ranges.Add(new PortRange(first, last));
        }
    }

    private static ushort Port(string option, string list, ReadOnlySpan<char> digits) =>
        Digits.TryParse(digits, ushort.MaxValue, out ulong port) && port > 0 ? (ushort)port : throw new UsageException(option, list, Wanted);
}
