using TcpCloser.Interop;

namespace TcpCloser.Diag;

/// <summary>Addresses that a network namespace takes for its own.</summary>
/// <param name="destination">Network byte order; IPv4 stands in the first four bytes.</param>
/// <param name="length">How many bits of it count.</param>
/// <param name="device">The index of the device that has them.</param>
internal readonly struct LocalRoute(Address destination, byte length, uint device)
{
    private readonly Address _destination = destination;

    /// <summary>Whether it takes every address there is, as a transparent proxy's does.</summary>
    public bool IsEverything => length == 0;

    /// <summary>Whether the address is one of them.</summary>
    /// <param name="address">As long as its family makes it.</param>
    /// <param name="onDevice">The device that a link-local address is of; 0: on any.</param>
    public bool Contains(ReadOnlySpan<byte> address, uint onDevice)
    {
        ReadOnlySpan<byte> wanted = Address.Bytes(in _destination);
        int whole = length / 8;
        int rest = length % 8;
        return (onDevice == 0 || onDevice == device)
            && address[..whole].SequenceEqual(wanted[..whole])
            && (rest == 0 || (address[whole] ^ wanted[whole]) >> (8 - rest) == 0);
    }
}
