using System.Net;
using System.Net.Sockets;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace TcpCloser.Tests.Support;

/// <summary>Builds connections from short texts.</summary>
internal static class Connections
{
    /// <summary>Parses <c>10.0.0.1:22 10.0.0.2:5</c>; the port follows the last colon, and <c>::ffff:</c> makes an IPv6 socket.</summary>
    public static Connection Of(string ends, byte state = TcpState.Established)
    {
        string[] parts = ends.Split(' ');
        (IPAddress source, ushort sourcePort) = End(parts[0]);
        (IPAddress destination, ushort destinationPort) = End(parts[1]);
        return new Connection
        {
            Source = Bytes(source),
            Destination = Bytes(destination),
            SourcePort = sourcePort,
            DestinationPort = destinationPort,
            Cookie = 0x1122334455667788,
            Inode = 12345,
            Uid = 1000,
            IdleMs = 61234,
            State = state,
            Family = (byte)(source.AddressFamily == AddressFamily.InterNetwork ? 2 : 10),
        };
    }

    /// <summary>A connection that has been idle for so long.</summary>
    public static Connection Aged(uint idleMs) => Of("10.0.0.1:22 10.0.0.2:80") with { IdleMs = idleMs };

    /// <summary>This many connections to port 22, each with its own peer port and cookie.</summary>
    public static ConnectionList Many(int count, FakeKernel? kernel = null, byte state = TcpState.Established) =>
        List(kernel, [.. Enumerable.Range(0, count).Select(i => Of("10.0.0.1:22 10.0.0.2:1", state) with
        {
            DestinationPort = (ushort)(1 + i),
            Cookie = 0xa000_0000_b000_0000 + (ulong)i,
            Inode = (uint)(100_000 + i),
        })]);

    /// <summary>These connections, in a namespace whose interfaces are lo and eth0.</summary>
    public static ConnectionList List(FakeKernel? kernel, params Connection[] connections)
    {
        var list = new ConnectionList();
        list.Begin(kernel is null ? FakeNamespace.Silent : new FakeNamespace(kernel));
        foreach (Connection connection in connections)
        {
            list.Add(in connection);
        }

        return list;
    }

    public static string[] Outcomes(this ConnectionList list) => [.. Enumerable.Range(0, list.Count).Select(i => list[i].Outcome.ToString())];

    /// <summary>The address as in struct inet_diag_sockid.</summary>
    public static Address Bytes(IPAddress ip)
    {
        var address = default(Address);
        byte[] bytes = ip.GetAddressBytes();
        bytes.CopyTo(MemoryMarshal.CreateSpan(ref Unsafe.As<Address, byte>(ref address), bytes.Length));
        return address;
    }

    private static (IPAddress Address, ushort Port) End(string text)
    {
        int colon = text.LastIndexOf(':');
        return (IPAddress.Parse(text[..colon]), ushort.Parse(text[(colon + 1)..], System.Globalization.CultureInfo.InvariantCulture));
    }
}
