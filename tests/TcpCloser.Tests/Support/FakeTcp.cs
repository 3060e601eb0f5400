using System.Buffers.Binary;
using System.Net;
using TcpCloser.Interop;

namespace TcpCloser.Tests.Support;

/// <summary>A TCP socket of a <see cref="FakeHost"/>.</summary>
/// <param name="dumped">What the kernel tells of it.</param>
internal sealed class FakeTcp(DumpedSocket dumped)
{
    public DumpedSocket Dumped { get; set; } = dumped;

    /// <summary>The cookie of the MPTCP connection that it is a subflow of; null: of none.</summary>
    public ulong? MptcpCookie { get; init; }

    /// <summary>Whether the kernel goes on with it alone, for a while, when the last process has closed it.</summary>
    public bool Lingers { get; init; }

    /// <summary>What ended it; null: it is open.</summary>
    public string? EndedBy { get; private set; }

    public bool IsOpen => EndedBy is null;

    /// <summary>How its owner's descriptor shows in /proc.</summary>
    public string Link => $"socket:[{Dumped.Inode}]";

    /// <summary>SO_COOKIE of its owner's descriptor.</summary>
    public ulong OwnersCookie => MptcpCookie ?? Dumped.Cookie;

    public SockAddrIn6 Local => End(Dumped.Source, Dumped.SourcePort);

    public SockAddrIn6 Remote => End(Dumped.Destination, Dumped.DestinationPort);

    /// <summary>Two connections of which the kernel finds one or the other.</summary>
    public bool HasEndsOf(FakeTcp other) =>
        (Dumped.Family, Dumped.Source, Dumped.SourcePort, Dumped.Destination, Dumped.DestinationPort)
        == (other.Dumped.Family, other.Dumped.Source, other.Dumped.SourcePort, other.Dumped.Destination, other.Dumped.DestinationPort);

    public void End(string by) => EndedBy ??= by;

    private SockAddrIn6 End(string address, ushort port)
    {
        var name = new SockAddrIn6 { Family = Dumped.Family, Port = BinaryPrimitives.ReverseEndianness(port) };
        var ip = IPAddress.Parse(address);
        if (Dumped.Family == 2)
        {
            name.IPv4Address = BitConverter.ToUInt32(ip.GetAddressBytes());
        }
        else
        {
            name.IPv6Address = Connections.Bytes(ip);
        }

        return name;
    }
}
