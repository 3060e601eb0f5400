using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using TcpCloser.Interop;

namespace TcpCloser.Rules;

/// <summary>An address prefix such as <c>10.0.0.0/8</c> or <c>2001:db8::1</c>. <c>::ffff:a.b.c.d</c> is the IPv4 address.</summary>
internal sealed class AddressPrefix
{
    private readonly Address _address;

    /// <param name="family">AF_INET or AF_INET6.</param>
    /// <param name="address">Network byte order; an IPv4 address is in the first four bytes.</param>
    /// <param name="length">The number of significant bits.</param>
    /// <param name="device">The device of a link-local address; null: any.</param>
    public AddressPrefix(int family, Address address, byte length, string? device = null)
    {
        Device = device;
        Family = family;
        _address = address;
        Length = length;
    }

    /// <summary>AF_INET or AF_INET6.</summary>
    public int Family { get; }

    /// <summary>The device of a link-local address, if given (<c>fe80::1%eth0</c>); null: any.</summary>
    public string? Device { get; }

    /// <summary>The number of significant bits of <see cref="Address"/>.</summary>
    public byte Length { get; }

    /// <summary>Network byte order; an IPv4 address is in the first four bytes.</summary>
    public ref readonly Address Address => ref _address;

    /// <summary>Whether the prefix contains an address of its family.</summary>
    public bool Contains(ReadOnlySpan<byte> address) => SharePrefix(address, Address.Bytes(in _address), Length);

    /// <summary>Whether two addresses of one family have the same first bits.</summary>
    public static bool SharePrefix(ReadOnlySpan<byte> a, ReadOnlySpan<byte> b, int bits)
    {
        int whole = bits / 8;
        int rest = bits % 8;
        return a[..whole].SequenceEqual(b[..whole]) && (rest == 0 || (a[whole] ^ b[whole]) >> (8 - rest) == 0);
    }

    /// <summary>The canonical form, for the log.</summary>
    public override string ToString() =>
        Format() + (Device is null ? "" : "%" + Escape.Text(Device)) + (Length == (Family == Socket.AF_INET ? 32 : 128) ? "" : "/" + Length.ToString(CultureInfo.InvariantCulture));

    /// <summary>Whether one of the prefixes names a device.</summary>
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
}
