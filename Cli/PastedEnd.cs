using TcpCloser.Interop;

namespace TcpCloser.Cli;

/// <summary>An address with a port behind it, as ss and logs print it: <c>10.0.0.1:5432</c>, <c>[2001:db8::1]:5432</c>.</summary>
internal static class PastedEnd
{
    /// <summary>Whether it is that. What comes out is plain enough to be shown in a command.</summary>
    public static bool TrySplit(string item, out string address, out string port)
    {
        int colon = item.LastIndexOf(':');
        (address, port) = colon < 0 ? (item, "") : (item[..colon], item[(colon + 1)..]);
        bool isPort = Digits.TryParse(port, ushort.MaxValue, out ulong number) && number > 0;
        return isPort && AddressPrefix.ParseOne(address) is { } prefix
            && prefix.Length == (prefix.Family == Socket.AF_INET ? 32 : 128) && (!address.Contains(':') || address[0] == '[');
    }
}
