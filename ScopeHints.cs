using TcpCloser.Cli;
using TcpCloser.Diag;
using TcpCloser.Interop;
using TcpCloser.Proc;
using TcpCloser.Report;

namespace TcpCloser;

/// <summary>Says of a run that matched nothing what it did not look at, and would have found.</summary>
/// <param name="rule">What was looked for.</param>
/// <param name="machine">Where.</param>
/// <param name="dump">Lists sockets.</param>
/// <param name="message">Is told.</param>
internal sealed class ScopeHints(Rule rule, Machine machine, SocketDump dump, Action<Level, string> message)
{
    /// <summary>Looks, and tells what it finds. What cannot be looked at here is left: nobody asked for it.</summary>
    public void Tell(IReadOnlyList<NetworkNamespace> namespaces, RuleLookup lookup)
    {
        try
        {
            TellOtherFamily(namespaces, lookup);
            TellOtherNamespaces(lookup.NamedPids);
        }
        catch (SystemCallException)
        {
            return;
        }

        if (rule.Interfaces.Count > 0)
        {
            message(Level.Info, "--interface takes the sockets that are bound to the device (SO_BINDTODEVICE), not those whose packets pass through it: " +
                "for these, select its addresses by --src");
        }
    }

    /// <summary>Where addresses are asked for, they decide the family, and there is no other one.</summary>
    private void TellOtherFamily(IReadOnlyList<NetworkNamespace> namespaces, RuleLookup lookup)
    {
        Families other = (Families.IPv4 | Families.IPv6) & ~rule.Families;
        if (other == 0 || rule.Sources.Count + rule.Destinations.Count > 0)
        {
            return;
        }

        var collector = new Collector(new IdleRule(rule), keepLeftAlone: false, keepDetails: false);
        var listing = new SelectionDump(Selection.Of(rule, other), dump);
        foreach (NetworkNamespace network in namespaces)
        {
            _ = listing.Run(network, lookup.ContextOf(network), collector);
        }

        if (collector.Matched > 0)
        {
            bool isIPv6 = other == Families.IPv6;
            message(Level.Info, $"{collector.Matched} {(isIPv6 ? "IPv6" : "IPv4")} " +
                (collector.Matched == 1 ? "connection matches" : "connections match") + $": add {(isIPv6 ? "-6" : "-4")}");
        }
    }

    private void TellOtherNamespaces(IReadOnlyList<int> pids)
    {
        if (rule.NamesNamespaces || pids.Count == 0)
        {
            return;
        }

        using IProcessTable table = machine.OpenProcesses();
        ulong own = table.NetworkNamespaceOf(table.Self);
        foreach (int pid in pids)
        {
            ulong other = table.NetworkNamespaceOf(pid);
            if (own != 0 && other != 0 && other != own)
            {
                message(Level.Info, $"pid {pid} is in another network namespace: add --netns pid:{pid}");
                return;
            }
        }
    }
}
