using System.Net;
using System.Net.Sockets;

namespace TcpCloser.Tests.Support;

/// <summary>struct inet_diag_entry: what the kernel's filter knows of a socket.</summary>
internal readonly record struct FilterEntry(int Family, ushort SourcePort, ushort DestinationPort)
{
    /// <summary>4 or 16 bytes, as the family makes it.</summary>
    public byte[] Source { get; init; } = new byte[16];

    public byte[] Destination { get; init; } = new byte[16];

    public uint Interface { get; init; }

    public uint Mark { get; init; }

    public ulong CgroupId { get; init; }

    /// <summary>A socket between two addresses of one family; <c>::ffff:a.b.c.d</c> is an IPv6 one.</summary>
    public static FilterEntry Between(string source, ushort sourcePort, string destination, ushort destinationPort)
    {
        var from = IPAddress.Parse(source);
        return new FilterEntry(from.AddressFamily == AddressFamily.InterNetwork ? 2 : 10, sourcePort, destinationPort)
        {
            Source = from.GetAddressBytes(),
            Destination = IPAddress.Parse(destination).GetAddressBytes(),
        };
    }
}
