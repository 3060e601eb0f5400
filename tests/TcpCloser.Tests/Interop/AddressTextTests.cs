using System.Globalization;
using System.Net;
using CsCheck;

namespace TcpCloser.Tests.Interop;

/// <summary>Addresses in the canonical form of RFC 5952.</summary>
public sealed class AddressTextTests
{
    [Theory]
    [Rows("0.0.0.0 | 0.0.0.0", "255.255.255.255 | 255.255.255.255", "10.0.100.9 | 10.0.100.9", ":: | ::", "::1 | ::1", "1:: | 1::",
        "2001:db8::1 | 2001:db8::1", "2001:0DB8:0000:0000:0000:0000:0002:0001 | 2001:db8::2:1",
        "2001:db8:0:1:1:1:1:1 | 2001:db8:0:1:1:1:1:1", "2001:0:0:1:0:0:0:1 | 2001:0:0:1::1", "2001:db8:0:0:1:0:0:1 | 2001:db8::1:0:0:1",
        "0:0:1:1:1:1:0:0 | ::1:1:1:1:0:0", "0:1:0:0:0:0:0:0 | 0:1::",
        "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff | ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "fe80::abc | fe80::abc",
        "::ffff:10.0.0.1 | 10.0.0.1", "::ffff:0.0.0.0 | 0.0.0.0", "64:ff9b::a00:1 | 64:ff9b::a00:1")]
    public void Format_EachForm_IsCanonical(string address, string text) =>
        Assert.Equal(text, Format(IPAddress.Parse(address).GetAddressBytes(), address.Contains(':') ? 10 : 2));

    [Fact]
    public void Format_RandomIPv4OrMappedAddress_IsAsDotNetFormatsIPv4() => Gen.Byte.Array[4].Sample(static bytes =>
    {
        Assert.Equal(new IPAddress(bytes).ToString(), Format(bytes, 2));
        Assert.Equal(new IPAddress(bytes).ToString(), Format([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, .. bytes], 10));
    });

    [Fact]
    public void Format_RandomIPv6_IsAsInRfc5952() =>
        Gen.OneOf(Gen.OneOf<ushort>(0, 0, 1), Gen.UShort, Gen.OneOf<ushort>(0, 0xffff)).Array[8].Sample(static groups =>
    {
        byte[] bytes = [.. groups.SelectMany(static group => new[] { (byte)(group >> 8), (byte)group })];
        var ip = new IPAddress(bytes);
        string text = Format(bytes, 10);
        Assert.InRange(text.Length, 2, AddressText.MaxLength);
        if (ip.IsIPv4MappedToIPv6)
        {
            Assert.Equal(ip.MapToIPv4().ToString(), text);
            return;
        }

        Assert.Equal(ip, IPAddress.Parse(text));
        Assert.Equal(Rfc5952(groups), text);
        if (!ip.ToString().Contains('.'))
        {
            Assert.Equal(ip.ToString(), text);
        }
    }, iter: 50_000);

    private static string Format(byte[] bytes, int family)
    {
        Address address = Connections.Bytes(new IPAddress(bytes));
        return AddressText.Format(in address, family);
    }

    /// <summary>Writes the longest run of zeros, the first of equally long ones, as <c>::</c>; tries the longest runs first.</summary>
    private static string Rfc5952(ushort[] groups)
    {
        string[] words = [.. groups.Select(static group => group.ToString("x", CultureInfo.InvariantCulture))];
        for (int length = 8; length > 1; length--)
        {
            for (int at = 0; at + length <= 8; at++)
            {
                if (groups.AsSpan(at, length).IndexOfAnyExcept((ushort)0) < 0)
                {
                    return string.Join(':', words[..at]) + "::" + string.Join(':', words[(at + length)..]);
                }
            }
        }

        return string.Join(':', words);
    }
}
