using System.Buffers.Binary;
using System.Globalization;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using TcpCloser.Diag;
using TcpCloser.Interop;

namespace TcpCloser.Kill;

/// <summary>Between what a session's connection is: addresses as <see cref="AddressText"/> writes them, ports in host order.</summary>
internal sealed class SessionEnds(string oneAddress, ushort onePort, string otherAddress, ushort otherPort)
{
    /// <summary>The ends of a socket as getsockname(2) and getpeername(2) tell them; null: it is no TCP connection.</summary>
    public static SessionEnds? Of(in SockAddrIn6 local, in SockAddrIn6 remote) =>
        local.Family is Socket.AF_INET or Socket.AF_INET6 && remote.Family == local.Family
            ? new SessionEnds(Text(in local), BinaryPrimitives.ReverseEndianness(local.Port), Text(in remote), BinaryPrimitives.ReverseEndianness(remote.Port))
            : null;

    public static SessionEnds Of(in Connection connection) => new(
        AddressText.Format(in connection.Source, connection.Family), connection.SourcePort,
        AddressText.Format(in connection.Destination, connection.Family), connection.DestinationPort);

    /// <summary>The ends in SSH_CONNECTION (ssh(1)): client address and port, server address and port; null: it is none.</summary>
    public static SessionEnds? Parse(string sshConnection)
    {
        string[] words = sshConnection.Split(' ');
        return words.Length == 4
            && ushort.TryParse(words[1], NumberStyles.None, CultureInfo.InvariantCulture, out ushort clientPort)
            && ushort.TryParse(words[3], NumberStyles.None, CultureInfo.InvariantCulture, out ushort serverPort)
            ? new SessionEnds(WithoutZone(words[0]), clientPort, WithoutZone(words[2]), serverPort)
            : null;
    }

    /// <summary>Whether the connection is this one, seen from either end.</summary>
    public bool Are(ref readonly Connection connection) =>
        Are(in connection, onePort, oneAddress, otherPort, otherAddress) || Are(in connection, otherPort, otherAddress, onePort, oneAddress);

    private static bool Are(ref readonly Connection connection, ushort sourcePort, string source, ushort destinationPort, string destination) =>
        connection.SourcePort == sourcePort
        && connection.DestinationPort == destinationPort
        && AddressText.Format(in connection.Source, connection.Family) == source
        && AddressText.Format(in connection.Destination, connection.Family) == destination;

    private static string WithoutZone(string address)
    {
        int zone = address.IndexOf('%');
        return zone < 0 ? address : address[..zone];
    }

    private static string Text(ref readonly SockAddrIn6 name)
    {
        if (name.Family == Socket.AF_INET6)
        {
            return AddressText.Format(in name.IPv6Address, Socket.AF_INET6);
        }

        var address = default(Address);
        MemoryMarshal.Write(MemoryMarshal.CreateSpan(ref Unsafe.As<Address, byte>(ref address), sizeof(uint)), in name.IPv4Address);
        return AddressText.Format(in address, Socket.AF_INET);
    }
}
