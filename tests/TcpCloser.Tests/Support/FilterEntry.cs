using System.Net;
using System.Net.Sockets;

namespace TcpCloser.Tests.Support;

/// <summary>struct inet_diag_entry: the properties of a socket that the kernel's filter reads.</summary>
internal readonly record struct FilterEntry(int Family, ushort SourcePort, ushort DestinationPort)
{
    public byte[] Source { get; init; } = new byte[16]; // 4 or 16 bytes, depending on the family
    public byte[] Destination { get; init; } = new byte[16];
    public uint Interface { get; init; }
    public uint Mark { get; init; }
    public ulong CgroupId { get; init; }

    /// <summary>A socket between two addresses of one family; <c>::ffff:a.b.c.d</c> is IPv6.</summary>
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
