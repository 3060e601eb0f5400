using System.Buffers.Binary;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using TcpCloser.Interop;

namespace TcpCloser.Diag;

/// <summary>Addresses as RFC 5952 and ss(8) write them.</summary>
internal static class AddressText
{
    /// <summary>The maximum length: eight groups of four digits and seven colons.</summary>
    public const int MaxLength = 39;

    /// <summary>Formats the address of a socket of that family; <c>::ffff:a.b.c.d</c> is written as IPv4.</summary>
    public static string Format(in Address address, int family)
    {
        Span<byte> text = stackalloc byte[MaxLength];
        return Encoding.ASCII.GetString(text[..Write(text, in address, family)]);
    }

    /// <summary>Writes the address and returns its length in bytes.</summary>
    public static int Write(Span<byte> text, ref readonly Address address, int family)
    {
        ReadOnlySpan<byte> bytes = Address.Bytes(in address);
        return family == Socket.AF_INET ? WriteIPv4(text, bytes) : address.IsMappedIPv4 ? WriteIPv4(text, bytes[12..]) : WriteIPv6(text, bytes);
    }

    private static int WriteIPv4(Span<byte> text, ReadOnlySpan<byte> bytes)
    {
        int length = 0;
        for (int i = 0; i < 4; i++)
        {
            if (i > 0)
            {
                text[length++] = (byte)'.';
            }

            int value = bytes[i];
            if (value >= 100)
            {
                text[length++] = (byte)('0' + value / 100);
            }

            if (value >= 10)
            {
                text[length++] = (byte)('0' + value / 10 % 10);
            }

            text[length++] = (byte)('0' + value % 10);
        }

        return length;
    }

    private static int WriteIPv6(Span<byte> text, ReadOnlySpan<byte> bytes)
    {
        ReadOnlySpan<ushort> groups = MemoryMarshal.Cast<byte, ushort>(bytes);
        (int zerosAt, int zeros) = LongestZeros(groups);
        int length = 0;
        for (int i = 0; i < 8; i++)
        {
            if (i == zerosAt)
            {
                text[length++] = (byte)':';
                text[length++] = (byte)':';
                i += zeros - 1;
                continue;
            }

            if (i > 0 && i != zerosAt + zeros)
            {
                text[length++] = (byte)':';
            }

            BinaryPrimitives.ReverseEndianness(groups[i]).TryFormat(text[length..], out int written, "x", CultureInfo.InvariantCulture);
            length += written;
        }

        return length;
    }

    /// <summary>
    /// The first of the longest runs of at least two zero groups (RFC 5952, 4.2); without one, an index that no group has.
    /// </summary>
    private static (int At, int Length) LongestZeros(ReadOnlySpan<ushort> groups)
    {
        (int At, int Length) longest = (-16, 1);
        for (int i = 0; i < 8; i++)
        {
            int start = i;
            while (i < 8 && groups[i] == 0)
            {
                i++;
            }

            if (i - start > longest.Length)
            {
                longest = (start, i - start);
            }
        }

        return longest;
    }
}
