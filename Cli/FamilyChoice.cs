using TcpCloser.Interop;

namespace TcpCloser.Cli;

/// <summary>Which families a run looks at: those named, else those of the addresses, else IPv4.</summary>
internal static class FamilyChoice
{
    /// <exception cref="UsageException">An address that none of them can have, or source and destination that never meet.</exception>
    public static Families Decide(Families named, Options options)
    {
        Families sources = Of(options.Sources);
        Families destinations = Of(options.Destinations);
        if (sources != 0 && destinations != 0 && (sources & destinations) == 0)
        {
            throw new UsageException("--src and --dst: addresses of different families, which no connection can have");
        }

        if (named == 0)
        {
            Families addresses = sources | destinations | Of(options.NotSources) | Of(options.NotDestinations);
            return addresses == 0 ? Families.IPv4 : addresses;
        }

        // The other way round is well: under -6 an IPv4 address means connections on dual-stack sockets.
        if (named == Families.IPv4)
        {
            RefuseIPv6("--src", options.Sources);
            RefuseIPv6("--dst", options.Destinations);
            RefuseIPv6("--not-src", options.NotSources);
            RefuseIPv6("--not-dst", options.NotDestinations);
        }

        return named;
    }

    private static Families Of(IReadOnlyList<AddressPrefix> prefixes)
    {
        Families families = 0;
        foreach (AddressPrefix prefix in prefixes)
        {
            families |= prefix.Family == Socket.AF_INET ? Families.IPv4 : Families.IPv6;
        }

        return families;
    }

    private static void RefuseIPv6(string option, IReadOnlyList<AddressPrefix> prefixes)
    {
        foreach (AddressPrefix prefix in prefixes)
        {
            if (prefix.Family == Socket.AF_INET6)
            {
                throw new UsageException(option, prefix.ToString(), "an IPv6 address, which no IPv4 connection has; add -6 or leave -4 out");
            }
        }
    }
}
