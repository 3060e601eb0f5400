using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using TcpCloser.Diag;
using TcpCloser.Interop;

namespace TcpCloser.Kill;

/// <summary>Between what a session's connection is: addresses as <see cref="AddressText"/> writes them, ports in host order.</summary>
internal sealed class SessionEnds(string oneAddress, ushort onePort, string otherAddress, ushort otherPort)
{
    /// <summary>The ends of a process's TCP connection; null: the descriptor is none, or may not be fetched.</summary>
    public static unsafe SessionEnds? Of(int pidfd, int descriptor)
    {
        int fd = Pidfd.GetDescriptor(pidfd, descriptor);
        if (fd < 0)
        {
            return null;
        }

        SockAddrIn6 local = default;
        SockAddrIn6 remote = default;
        uint localLength = (uint)sizeof(SockAddrIn6);
        uint remoteLength = (uint)sizeof(SockAddrIn6);
        bool connected = Socket.getsockname(fd, &local, &localLength) == 0 && Socket.getpeername(fd, &remote, &remoteLength) == 0;
        _ = Unistd.close(fd);
        return connected && local.Family is Socket.AF_INET or Socket.AF_INET6 && remote.Family == local.Family
            ? new SessionEnds(Text(in local), BinaryPrimitives.ReverseEndianness(local.Port), Text(in remote), BinaryPrimitives.ReverseEndianness(remote.Port))
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
