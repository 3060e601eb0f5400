using TcpCloser.Interop;

namespace TcpCloser.Cli;

/// <summary>Which families a rule looks at: those named, else those of the addresses, else IPv4 for a port, else both.</summary>
internal static class FamilyChoice
{
    /// <exception cref="UsageException">An address that none of them can have, or source and destination that never meet.</exception>
    public static Families Decide(RuleBuilder rule)
    {
        Families sources = Of(rule.Sources);
        Families destinations = Of(rule.Destinations);
        if (sources != 0 && destinations != 0 && (sources & destinations) == 0)
        {
            throw new UsageException("--src and --dst: addresses of different families, which no connection can have");
        }

        Families families = rule.Families != 0 ? rule.Families
            : (sources | destinations) != 0 ? sources | destinations
            : rule.SourcePorts.Count + rule.DestinationPorts.Count > 0 ? Families.IPv4
            : Families.IPv4 | Families.IPv6;

        // The other way round is well: under -6 an IPv4 address means connections on dual-stack sockets.
        if (families == Families.IPv4)
        {
            string remedy = rule.Families == 0 ? "add -6, or -4 -6 for both" : "add -6 or leave -4 out";
            RefuseIPv6("--src", rule.Sources, remedy);
            RefuseIPv6("--dst", rule.Destinations, remedy);
            RefuseIPv6("--not-src", rule.NotSources, remedy);
            RefuseIPv6("--not-dst", rule.NotDestinations, remedy);
        }

        return families;
    }

    private static Families Of(List<AddressPrefix> prefixes)
    {
        Families families = 0;
        foreach (AddressPrefix prefix in prefixes)
        {
            families |= prefix.Family == Socket.AF_INET ? Families.IPv4 : Families.IPv6;
        }

        return families;
    }

    private static void RefuseIPv6(string option, List<AddressPrefix> prefixes, string remedy)
    {
        foreach (AddressPrefix prefix in prefixes)
        {
            if (prefix.Family == Socket.AF_INET6)
            {
                throw new UsageException(option, prefix.ToString(), "an IPv6 address, which no IPv4 connection has; " + remedy);
            }
        }
    }
}
