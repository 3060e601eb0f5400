using System.Globalization;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text;
using TcpCloser.Interop;

namespace TcpCloser.Cli;

/// <summary>An address prefix such as <c>10.0.0.0/8</c> or <c>2001:db8::1</c>. <c>::ffff:a.b.c.d</c> is the IPv4 address.</summary>
internal sealed class AddressPrefix
{
    private readonly Address _address;

    private AddressPrefix(int family, Address address, byte length, string? device = null)
    {
        Device = device;
        Family = family;
        _address = address;
        Length = length;
    }

    /// <summary>AF_INET or AF_INET6.</summary>
    public int Family { get; }

    /// <summary>The device that a link-local address belongs to, where it was named (<c>fe80::1%eth0</c>); null: any.</summary>
    public string? Device { get; }

    /// <summary>How many bits of <see cref="Address"/> count.</summary>
    public byte Length { get; }

    /// <summary>Network byte order; IPv4 stands in the first four bytes.</summary>
    public ref readonly Address Address => ref _address;

    /// <summary>As it was meant: for the line that says what a run will do.</summary>
    public override string ToString() =>
        Format() + (Device is null ? "" : "%" + Escape.Text(Device)) + (Length == (Family == Socket.AF_INET ? 32 : 128) ? "" : "/" + Length.ToString(CultureInfo.InvariantCulture));

    /// <summary>Adds the prefixes that a comma-separated list names.</summary>
    /// <exception cref="UsageException">It is no such list.</exception>
    public static void ParseList(string option, string list, List<AddressPrefix> prefixes)
    {
        foreach (string item in list.Split(','))
        {
            prefixes.Add(ParseOne(item) ?? throw UsageException.OfItem(option, item, list, PastedEnd.TrySplit(item, out string address, out string port)
                ? $"an address and a port are two options: {option} {address} {(option.EndsWith("src", StringComparison.Ordinal) ? "-s" : "-d")} {port}"
                : IsHostName(item)
                ? $"names are not resolved; {option} \"$(getent ahosts {item} | awk '/STREAM/ {{print $1}}' | paste -sd,)\" gives the addresses of one"
                : "addresses and prefixes are written as 10.0.0.1, 10.0.0.0/8, 2001:db8::1, [2001:db8::1], 2001:db8::/32 or fe80::1%eth0, in lists with commas"));
        }
    }

    /// <summary>Whether one of them is meant on one device alone.</summary>
    public static bool AnyNamesDevice(IReadOnlyList<AddressPrefix> prefixes)
    {
        foreach (AddressPrefix prefix in prefixes)
        {
            if (prefix.Device is not null)
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>One address or prefix; null: it is none.</summary>
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
        if (!TryParse(text, family, out Address address) || (slash >= 0 && !Digits.TryParse(item.AsSpan(slash + 1), bits, out bits)))
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

    /// <summary>Whether it is written like the name of a host, whose last label begins with a letter: safe to show in a command.</summary>
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

    private unsafe string Format()
    {
        // INET6_ADDRSTRLEN
        const int Size = 46;
        byte* text = stackalloc byte[Size];
        fixed (Address* a = &_address)
        {
            _ = Inet.inet_ntop(Family, a, text, Size);
        }

        return Encoding.ASCII.GetString(MemoryMarshal.CreateReadOnlySpanFromNullTerminated(text));
    }

    /// <summary>inet_pton(3): full dotted quads and RFC 4291, no host names, no octal.</summary>
    private static unsafe bool TryParse(string text, int family, out Address address)
    {
        fixed (byte* p = Encoding.UTF8.GetBytes(text + '\0'))
        fixed (Address* a = &address)
        {
            *a = default;
            return Inet.inet_pton(family, p, a) == 1;
        }
    }
}
