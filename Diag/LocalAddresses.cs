using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using TcpCloser.Interop;

namespace TcpCloser.Diag;

/// <summary>
/// The addresses that a network namespace has now: the local (and for IPv6 anycast) routes of all of its tables, because that is
/// where the kernel itself looks when a packet comes in (rtnetlink(7)).
/// </summary>
internal sealed class LocalAddresses
{
    private const int FirstBufferSize = 32 * 1024;

    /// <summary>How often a dump is begun again that did not arrive whole, or while which the table changed.</summary>
    private const int Attempts = 16;

    private readonly List<LocalRoute> _ipv4 = [];
    private readonly List<LocalRoute> _ipv6 = [];

    private LocalAddresses()
    {
    }

    /// <exception cref="SystemCallException">They cannot be listed.</exception>
    public static LocalAddresses Read(NetworkNamespace network)
    {
        var addresses = new LocalAddresses();
        Read(network, Socket.AF_INET, addresses._ipv4);
        Read(network, Socket.AF_INET6, addresses._ipv6);
        return addresses;
    }

    /// <summary>Whether every address of the connection's family is taken, so that none can be gone.</summary>
    public bool TakesEverything(ref readonly Connection connection) =>
        (connection.IsIPv4 ? _ipv4 : _ipv6).Exists(static route => route.IsEverything);

    /// <summary>Whether the local address of the connection is there.</summary>
    public bool HasSourceOf(ref readonly Connection connection)
    {
        ReadOnlySpan<byte> bytes = Address.Bytes(in connection.Source);
        ReadOnlySpan<byte> address = !connection.IsIPv4 ? bytes
            : connection.Family == Socket.AF_INET ? bytes[..4]
            : bytes[12..];
        uint device = !connection.IsIPv4 && connection.Source.IsLinkLocalIPv6 ? connection.Interface : 0;
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

        // A kernel without IPv6 has no such addresses.
        if (errno != 0 && !(family == Socket.AF_INET6 && errno is Errno.EAFNOSUPPORT or Errno.EOPNOTSUPP))
        {
            throw new SystemCallException(Operation.ListRoutes, errno);
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

    /// <summary>Reads until NLMSG_DONE. Returns 0 or the errno; EBUSY where the table changed meanwhile: a route may be missing.</summary>
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

    /// <summary>Adds a route that is local; false where the payload is no route. A kernel without the family lists those of others.</summary>
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
