using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using TcpCloser.Interop;
using TcpCloser.Rules;

namespace TcpCloser.Diag;

/// <summary>
/// The addresses that a network namespace has now: the local (and for IPv6 anycast) routes of all its tables, because the kernel also
/// looks there when a packet arrives (rtnetlink(7)).
/// </summary>
internal sealed class LocalAddresses
{
    private const int FirstBufferSize = 32 * 1024;

    /// <summary>The maximum number of attempts at a dump. It is repeated if it is incomplete, or if the table changed meanwhile.</summary>
    private const int Attempts = 16;

    private readonly List<LocalRoute> _ipv4 = [];
    private readonly List<LocalRoute> _ipv6 = [];

    private LocalAddresses()
    {
    }

    /// <exception cref="SystemCallException">The routes cannot be listed.</exception>
    public static LocalAddresses Read(NetworkNamespace network)
    {
        var addresses = new LocalAddresses();
        Read(network, Socket.AF_INET, addresses._ipv4);
        Read(network, Socket.AF_INET6, addresses._ipv6);
        return addresses;
    }

    /// <summary>Whether every address of the connection's family is local, so that none can be gone.</summary>
    public bool TakesEverything(ref readonly Connection connection) =>
        (connection.IsIPv4 ? _ipv4 : _ipv6).Exists(static route => route.IsEverything);

    /// <summary>Whether the network namespace has the local address of the connection.</summary>
    public bool HasSourceOf(ref readonly Connection connection)
    {
        ReadOnlySpan<byte> bytes = Address.Bytes(in connection.Source);
        ReadOnlySpan<byte> address = !connection.IsIPv4 ? bytes
            : connection.Family == Socket.AF_INET ? bytes[..4]
            : bytes[12..];
        uint device = connection.DeviceOf(in connection.Source);
        foreach (LocalRoute route in connection.IsIPv4 ? _ipv4 : _ipv6)
        {
            if (route.Contains(address, device))
            {
                return true;
            }
        }

        return false;
    }

    private static void Read(NetworkNamespace network, int family, List<LocalRoute> routes)
    {
        byte[] buffer = new byte[FirstBufferSize];
        int errno = Errno.EBUSY;
        for (int attempt = 0; attempt < Attempts && (errno is Errno.EMSGSIZE or Errno.EBUSY or Errno.ENOBUFS); attempt++)
        {
            routes.Clear();
            using var exchange = new NetlinkExchange(network.OpenRouteSocket(), buffer);
            errno = exchange.Send(Request((byte)family, exchange.Begin(1)));
            errno = errno == 0 ? ReadAll(exchange, family, routes) : errno;
            buffer = exchange.Buffer;
        }

        // A kernel without IPv6 has no IPv6 addresses.
        if (errno != 0 && !(family == Socket.AF_INET6 && errno is Errno.EAFNOSUPPORT or Errno.EOPNOTSUPP))
        {
            throw new SystemCallException(new Failure(Operation.ListRoutes, errno));
        }
    }

    private static byte[] Request(byte family, uint sequence)
    {
        var message = new byte[Unsafe.SizeOf<NlMsgHdr>() + Unsafe.SizeOf<RtMsg>()];
        var header = new NlMsgHdr
        {
            Length = (uint)message.Length,
            Type = RtNetlink.RTM_GETROUTE,
            Flags = Netlink.NLM_F_REQUEST | Netlink.NLM_F_DUMP,
            Sequence = sequence,
        };
        var body = new RtMsg { Family = family };
        MemoryMarshal.Write(message, in header);
        MemoryMarshal.Write(message.AsSpan(Unsafe.SizeOf<NlMsgHdr>()), in body);
        return message;
    }

    /// <summary>
    /// Reads until NLMSG_DONE. Returns 0 or the errno; EBUSY if the table changed meanwhile, so that a route may be missing.
    /// </summary>
    private static int ReadAll(NetlinkExchange exchange, int family, List<LocalRoute> routes)
    {
        bool interrupted = false;
        while (true)
        {
            int errno = exchange.Next(wait: true);
            if (errno != 0)
            {
                return errno;
            }

            interrupted |= (exchange.Header.Flags & Netlink.NLM_F_DUMP_INTR) != 0;
            switch (exchange.Header.Type)
            {
                case Netlink.NLMSG_DONE:
                    errno = exchange.Error();
                    return errno == 0 && interrupted ? Errno.EBUSY : errno;
                case Netlink.NLMSG_ERROR:
                    errno = exchange.Error();
                    return errno != 0 ? errno : Errno.EBADMSG;
                case RtNetlink.RTM_NEWROUTE:
                    if (!TryAdd(exchange.Payload, family, routes))
                    {
                        return Errno.EBADMSG;
                    }

                    break;
            }
        }
    }

    /// <summary>
    /// Adds the route if it is local; returns false if the payload is not a route. A kernel without the family lists the routes of other
    /// families.
    /// </summary>
    private static bool TryAdd(ReadOnlySpan<byte> payload, int family, List<LocalRoute> routes)
    {
        if (payload.Length < Unsafe.SizeOf<RtMsg>())
        {
            return false;
        }

        var route = MemoryMarshal.Read<RtMsg>(payload);
        int longest = family == Socket.AF_INET ? 4 : 16;
        if (route.Family != family || route.Type is not (RtNetlink.RTN_LOCAL or RtNetlink.RTN_ANYCAST) || (route.Flags & RtNetlink.RTM_F_CLONED) != 0)
        {
            return true;
        }

        var destination = default(Address);
        uint device = 0;
        bool hasDestination = route.DestinationLength == 0;
        var attributes = new NetlinkAttributes(payload[Unsafe.SizeOf<RtMsg>()..]);
        while (attributes.Next())
        {
            if (attributes.Type == RtNetlink.RTA_DST && attributes.Value.Length == longest)
            {
                attributes.Value.CopyTo(MemoryMarshal.AsBytes(new Span<Address>(ref destination)));
                hasDestination = true;
            }
            else if (attributes.Type == RtNetlink.RTA_OIF && attributes.Value.Length == sizeof(uint))
            {
                device = MemoryMarshal.Read<uint>(attributes.Value);
            }
        }

        if (!hasDestination || route.DestinationLength > longest * 8)
        {
            return false;
        }

        routes.Add(new LocalRoute(destination, route.DestinationLength, device));
        return true;
    }
}

/// <summary>A range of addresses that a network namespace has.</summary>
/// <param name="destination">The first address, in network byte order; IPv4 is in the first four bytes.</param>
/// <param name="length">The prefix length in bits.</param>
/// <param name="device">The index of the device that has the addresses.</param>
internal readonly struct LocalRoute(Address destination, byte length, uint device)
{
    private readonly Address _destination = destination;

    /// <summary>Whether the range contains every address, as for a transparent proxy.</summary>
    public bool IsEverything => length == 0;

    /// <summary>Whether the range contains the address.</summary>
    /// <param name="address">The address, in the length of its family.</param>
    /// <param name="onDevice">The device of a link-local address; 0: any device.</param>
    public bool Contains(ReadOnlySpan<byte> address, uint onDevice) =>
        (onDevice == 0 || onDevice == device) && AddressPrefix.SharePrefix(address, Address.Bytes(in _destination), length);
}
