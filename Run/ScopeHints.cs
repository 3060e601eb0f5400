using System.Text;
using TcpCloser.Diag;
using TcpCloser.Interop;
using TcpCloser.Kill;
using TcpCloser.Proc;
using TcpCloser.Report;
using TcpCloser.Rules;

namespace TcpCloser.Run;

/// <summary>
/// For a round that found nothing, reports what it did not search and would have found, or how much shorter the idle time would have to be.
/// Each is reported only once, because the search walks the kernel's whole table again, and not after a round that found something, because
/// then the rule is right.
/// </summary>
internal sealed class ScopeHints(Rule rule, Machine machine, Action<Level, string> message)
{
    private bool _isScopeKnown;
    private bool _isIdleTimeKnown;

    /// <param name="collector">What the round found.</param>
    /// <param name="isQuiet">Whether this round reports no hints.</param>
    public void Report(IReadOnlyList<NetworkNamespace> namespaces, RuleLookup lookup, Collector collector, bool isQuiet)
    {
        if (collector.Matched == 0 && lookup.NamedConnections is not { Count: 0 } && !isQuiet && !_isScopeKnown)
        {
            ReportScope(namespaces, lookup);
            _isScopeKnown = true;
        }

        if (collector.OldestMs < rule.IdleTime.TotalMilliseconds && !isQuiet && !_isIdleTimeKnown)
        {
            ReportOldest(collector.OldestMs);
            _isIdleTimeKnown = true;
        }

        _isScopeKnown |= collector.Matched > 0;
        _isIdleTimeKnown |= collector.Candidates.Count > 0;
    }

    private void ReportOldest(uint oldestMs)
    {
        string oldest = Encoding.UTF8.GetString(new TextBuffer(16).AddTime(oldestMs).Written);
        message(Level.Info, $"no connection has been idle for {RunText.Duration(rule.IdleTime)}: the longest idle time is {oldest}");
    }

    /// <summary>
    /// Searches, and reports the findings in one line. Whatever cannot be searched is omitted: the operator did not ask for it.
    /// </summary>
    private void ReportScope(IReadOnlyList<NetworkNamespace> namespaces, RuleLookup lookup)
    {
        var hints = new List<string>();
        Try(() => AddConnections(hints, namespaces, lookup));
        Try(() => AddExchanged(hints, namespaces, lookup));
        Try(() => AddNamespaces(hints, lookup.NamedPids));
        if (hints.Count > 0)
        {
            message(Level.Info, string.Join("; ", hints));
        }

        if (rule.Interfaces.Count > 0)
        {
            message(Level.Info, "--interface selects the sockets that are bound to the device (SO_BINDTODEVICE), not those whose packets pass through it: " +
                "for these, select its addresses by --src");
        }
    }

    private static void Try(Action look)
    {
        try
        {
            look();
        }
        catch (SystemCallException)
        {
            return;
        }
    }

    /// <summary>
    /// Adds the connections that match except for their family or state. Listeners are excluded, and so are connections that the requested
    /// clocks or probe could never prove idle or dead.
    /// </summary>
    private void AddConnections(List<string> hints, IReadOnlyList<NetworkNamespace> namespaces, RuleLookup lookup)
    {
        // Addresses decide the family, so there is no other one to search.
        Families families = rule.Sources.Count + rule.Destinations.Count > 0 ? rule.Families : Families.IPv4 | Families.IPv6;
        var collector = new Collector(new IdleRule(rule), keepLeftAlone: true, DetailLevel.Connection);
        var listing = new SelectionDump(Selection.Of(rule, families, rule.States | StateSet.EveryConnection), machine.Dump);
        foreach (NetworkNamespace network in namespaces)
        {
            _ = listing.Run(network, lookup.ContextOf(network), collector);
        }

        var sameFamily = new int[TcpState.Count];
        var otherFamily = new int[TcpState.Count];
        Count(collector.Candidates, sameFamily, otherFamily);
        Count(collector.LeftAlone, sameFamily, otherFamily);

        (string name, string option) = rule.Families == Families.IPv4 ? ("IPv6", "-6") : ("IPv4", "-4");
        int matching = 0;
        for (byte state = 1; state < TcpState.Count; state++)
        {
            if ((rule.States >> state & 1) != 0)
            {
                matching += otherFamily[state];
                otherFamily[state] = 0;
            }
        }

        if (matching > 0)
        {
            hints.Add($"{matching} {name} {(matching == 1 ? "connection matches" : "connections match")}: add {option}");
        }

        AddStates(hints, sameFamily, "", "");
        if (hints.Count == 0)
        {
            AddStates(hints, otherFamily, name + " ", option + " ");
        }
    }

    /// <summary>Adds the connections that match if the local and the remote end are exchanged, as with -d on a server instead of -s.</summary>
    private void AddExchanged(List<string> hints, IReadOnlyList<NetworkNamespace> namespaces, RuleLookup lookup)
    {
        if (hints.Count > 0 || Selection.Of(rule).Exchanged() is not { } selection)
        {
            return;
        }

        var collector = new Collector(new IdleRule(rule), keepLeftAlone: false, DetailLevel.Connection);
        var listing = new SelectionDump(selection, machine.Dump);
        foreach (NetworkNamespace network in namespaces)
        {
            _ = listing.Run(network, lookup.ContextOf(network), collector);
        }

        if (collector.Matched > 0)
        {
            hints.Add($"{collector.Matched} {(collector.Matched == 1 ? "connection matches" : "connections match")} with the ends exchanged: " +
                "-s and --src are the local end, -d and --dst the remote one");
        }
    }

    private void Count(ConnectionList connections, int[] sameFamily, int[] otherFamily)
    {
        for (int i = 0; i < connections.Count; i++)
        {
            ref Connection connection = ref connections[i];
            if (connection.Outcome != Outcome.NoClock && (rule.Probe == TimeSpan.Zero || connection.State == TcpState.Established))
            {
                bool isSame = Selection.MatchesFamily(in connection, rule.Families);
                (isSame ? sameFamily : otherFamily)[connection.State]++;
            }
        }
    }

    /// <summary>Adds <c>4 are in close-wait, 1 is in fin-wait-2: add --state close-wait,fin-wait-2</c>.</summary>
    private static void AddStates(List<string> hints, int[] counts, string family, string familyOption)
    {
        var numbers = new List<string>();
        var states = new List<string>();
        for (byte state = 1; state < counts.Length; state++)
        {
            if (counts[state] > 0)
            {
                string name = Encoding.UTF8.GetString(StateSet.Name(state));
                states.Add(name);
                numbers.Add($"{counts[state]} {(numbers.Count == 0 ? family : "")}{(counts[state] == 1 ? "is" : "are")} in {name}");
            }
        }

        if (states.Count > 0)
        {
            hints.Add($"{string.Join(", ", numbers)}: add {familyOption}--state {string.Join(',', states)}");
        }
    }

    /// <summary>Adds the network namespaces of the named processes, or else how many network namespaces were not searched.</summary>
    private void AddNamespaces(List<string> hints, IReadOnlyList<int> pids)
    {
        if (rule.NamesNamespaces)
        {
            return;
        }

        if (pids.Count > 0 && NamespacesOf(pids) is { } hint)
        {
            hints.Add(hint);
            return;
        }

        int others = NamespaceFinder.CountOthers(machine.Own.File, machine.Root);
        if (others > 0)
        {
            hints.Add((others == 1 ? "1 other network namespace was" : $"{others} other network namespaces were") + " not looked at: add --all-netns");
        }
    }

    /// <summary>
    /// Describes which of the processes are in other network namespaces, with the options that select those; null: none is.
    /// </summary>
    private string? NamespacesOf(IReadOnlyList<int> pids)
    {
        const int MaxOptions = 3;
        using IProcessTable table = machine.OpenProcesses();
        ulong own = table.NetworkNamespaceOf(table.Self);
        int count = 0;
        var namespaces = new HashSet<ulong>();
        var firstPids = new List<int>();
        foreach (int pid in pids)
        {
            ulong other = table.NetworkNamespaceOf(pid);
            if (own != 0 && other != 0 && other != own)
            {
                count++;
                if (namespaces.Add(other))
                {
                    firstPids.Add(pid);
                }
            }
        }

        string options = namespaces.Count > MaxOptions ? "--all-netns" : "--netns pid:" + string.Join(" --netns pid:", firstPids);
        return count == 0 ? null
            : count == 1 ? $"pid {firstPids[0]} is in another network namespace: add {options}"
            : $"{count} of the named processes are in {(namespaces.Count == 1 ? "another network namespace" : $"{namespaces.Count} other network namespaces")}: add {options}";
    }
}
