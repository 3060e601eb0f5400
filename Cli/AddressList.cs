using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text;
using TcpCloser.Interop;
using TcpCloser.Rules;

namespace TcpCloser.Cli;

/// <summary>Comma-separated addresses and prefixes: <c>10.0.0.0/8,2001:db8::1,fe80::1%eth0</c>.</summary>
internal static class AddressList
{
    /// <summary>Adds the prefixes of a comma-separated list.</summary>
    /// <exception cref="UsageException">An item is not an address or prefix.</exception>
    public static void Parse(string option, string list, List<AddressPrefix> prefixes)
    {
        foreach (string item in list.Split(','))
        {
            prefixes.Add(ParseOne(item) ?? throw UsageException.OfItem(option, item, list, Advice(option, item)));
        }
    }

    /// <summary>Parses one address or prefix; null: the text is neither.</summary>
    public static AddressPrefix? ParseOne(string item)
    {
        int slash = item.IndexOf('/');
        string text = slash < 0 ? item : item[..slash];
        int family = text.Contains(':') ? Socket.AF_INET6 : Socket.AF_INET;
        if (family == Socket.AF_INET6 && text.StartsWith('[') && text.EndsWith(']'))
        {
            text = text[1..^1];
        }

        int percent = family == Socket.AF_INET6 ? text.IndexOf('%') : -1;
        string? device = percent < 0 ? null : text[(percent + 1)..];
        text = percent < 0 ? text : text[..percent];
        ulong bits = family == Socket.AF_INET ? 32UL : 128;
        if (!TryParse(Encoding.UTF8.GetBytes(text), family, out Address address) || (slash >= 0 && !Digits.TryParse(item.AsSpan(slash + 1), bits, out bits)))
        {
            return null;
        }

        if (device is not null)
        {
            return address.IsLinkLocalIPv6 && SingleValue.IsDevice(device) ? new AddressPrefix(family, address, (byte)bits, device) : null;
        }

        if (family == Socket.AF_INET6 && bits >= 96 && address.IsMappedIPv4)
        {
            var ipv4 = default(Address);
            Address.Bytes(in address)[12..].CopyTo(MemoryMarshal.CreateSpan(ref Unsafe.As<Address, byte>(ref ipv4), 16));
            return new AddressPrefix(Socket.AF_INET, ipv4, (byte)(bits - 96));
        }

        return new AddressPrefix(family, address, (byte)bits);
    }

    /// <summary>What the user should write instead of an invalid item.</summary>
    private static string Advice(string option, string item)
    {
        if (HostPort.TrySplit(item, out string host, out string port))
        {
            return $"an address and a port are two options: {option} {host} {(option.EndsWith("src", StringComparison.Ordinal) ? "-s" : "-d")} {port}";
        }

        if (SsSyntax.AdviceOnConnection(item) is { } advice)
        {
            return advice;
        }

        if (IsHostName(item))
        {
            return $"host names are not resolved; to select the addresses of this host: " +
                $"{option} \"$(getent ahosts {item} | awk '/STREAM/ {{print $1}}' | paste -sd,)\"";
        }

        int slash = item.IndexOf('/');
        return slash > 0 && ParseOne(item[..slash]) is { } address
            ? address.Family == Socket.AF_INET ? "an IPv4 prefix length is a number from 0 to 32" : "an IPv6 prefix length is a number from 0 to 128"
            : "addresses and prefixes are written as 10.0.0.1, 10.0.0.0/8, 2001:db8::1, [2001:db8::1], 2001:db8::/32 or fe80::1%eth0, separated by commas";
    }

    /// <summary>
    /// Whether the text has the form of a host name, whose last label begins with a letter. Such a name is safe to show in a shell
    /// command.
    /// </summary>
    private static bool IsHostName(string item)
    {
        foreach (char c in item)
        {
            if (!char.IsAsciiLetterOrDigit(c) && c is not ('.' or '-' or '_'))
            {
                return false;
            }
        }

        int label = item.LastIndexOf('.') + 1;
        return label < item.Length && char.IsAsciiLetter(item[label]) && item[0] != '-';
    }

    /// <summary>Parses with inet_pton(3): full dotted quads and RFC 4291, no host names, no octal.</summary>
    public static unsafe bool TryParse(ReadOnlySpan<byte> text, int family, out Address address)
    {
        address = default;
        Span<byte> terminated = stackalloc byte[64];
        if (text.Length >= terminated.Length || text.Contains((byte)0))
        {
            return false;
        }

        terminated.Clear();
        text.CopyTo(terminated);
        fixed (byte* t = terminated)
        fixed (Address* a = &address)
        {
            return Inet.inet_pton(family, t, a) == 1;
        }
    }
}

/// <summary>
/// An endpoint, an address followed by a port, as ss and log lines print it: <c>10.0.0.1:5432</c>, <c>[2001:db8::1]:5432</c>.
/// </summary>
internal static class HostPort
{
    /// <summary>Splits an endpoint; false: the text is not one. The parts are safe to show in a shell command.</summary>
    public static bool TrySplit(string item, out string host, out string port)
    {
        int colon = item.LastIndexOf(':');
        (host, port) = colon < 0 ? (item, "") : (item[..colon], item[(colon + 1)..]);
        bool isPort = Digits.TryParse(port, ushort.MaxValue, out ulong number) && number > 0;
        return isPort && AddressList.ParseOne(host) is { } prefix
            && prefix.Length == (prefix.Family == Socket.AF_INET ? 32 : 128) && (!host.Contains(':') || host[0] == '[');
    }
}
