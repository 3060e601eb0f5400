using System.Text;
using TcpCloser.Diag;
using TcpCloser.Kill;
using TcpCloser.Proc;
using TcpCloser.Report;
using TcpCloser.Rules;

namespace TcpCloser.Run;

/// <summary><c>--check</c>: what this kernel and these privileges allow, one line per feature.</summary>
internal static class CheckRun
{
    /// <param name="rule">The rule that selects the users whose connections are checked.</param>
    /// <param name="run">With an interval and metrics, the service that has these options is checked, too.</param>
    /// <param name="records">Receives records instead of lines; null: lines go to <paramref name="stdout"/>.</param>
    /// <returns>The exit status: whether every user's connections can be closed, and the service makes its rounds.</returns>
    public static ExitStatus Run(Machine machine, Rule rule, RunOptions run, JsonRecords? records, OutputStream stdout)
    {
        FeatureSupport listing = Filter("dump", machine, FilterCheck.Dump);
        FeatureSupport destroy = CloseMethods.CheckDestroy(machine, machine.Own, rule.Uids);
        FeatureSupport disconnect = new SocketDisconnector().Check(machine, machine.Own, rule.Uids);
        FeatureSupport kill = new ProcessKiller(rule).Check(machine, machine.Own, rule.Uids);
        FeatureSupport probe = PeerProbe.Check(machine, rule.Uids);
        FeatureSupport keepalive = new KeepaliveMethod(rule).Check(machine, machine.Own, rule.Uids);
        FeatureSupport processes = HolderCheck.Run("filter-processes", machine, rule.Uids);
        if (FindVisibility(machine, rule) is { } visibility)
        {
            disconnect = visibility.Limit(disconnect, rule.Uids);
            kill = visibility.Limit(kill, rule.Uids);
            probe = visibility.Limit(probe, rule.Uids);
            keepalive = visibility.Limit(keepalive, rule.Uids);
            processes = visibility.Limit(processes, rule.Uids);
        }

        bool closes = listing.IsPossible && (destroy.IsPossible || disconnect.IsPossible);
        FeatureSupport[] features =
        [
            listing, destroy, disconnect, probe, keepalive, kill, processes,
            Filter("filter-ports", machine, FilterCheck.Ports),
            Filter("filter-addresses", machine, FilterCheck.Addresses),
            Filter("filter-interface", machine, FilterCheck.Interface),
            Filter("filter-mark", machine, FilterCheck.Mark),
            Filter("filter-cgroup", machine, FilterCheck.Cgroup),
        ];

        var text = new StringBuilder();
        foreach (FeatureSupport support in features)
        {
            Add(text, records, support, support.IsPossible ? "" : Remedies.Describe(support.Failure));
        }

        var all = new FeatureSupport("close-all") { Availability = closes ? Availability.Full : Availability.None };
        Add(text, records, all, closes ? "" : "not every user's connections can be closed here without killing processes");
        string? stalled = null;
        if (run.Interval is { } interval && run.Metrics is { } metrics)
        {
            stalled = LastRound.Problem(rule, interval, metrics);
            var service = new FeatureSupport("service") { Availability = stalled is null ? Availability.Full : Availability.None };
            Add(text, records, service, stalled ?? "");
        }

        records?.Flush();
        if (records is null)
        {
            _ = stdout.Write(Encoding.UTF8.GetBytes(text.ToString()));
        }

        return !closes ? ExitStatus.NotPossible : stalled is null ? ExitStatus.Done : ExitStatus.Incomplete;
    }

    /// <summary>Returns null if the visibility cannot be determined; other lines then report why.</summary>
    private static HolderVisibility? FindVisibility(Machine machine, Rule rule)
    {
        try
        {
            using IProcessTable table = machine.OpenProcesses();
            return new HolderVisibility(table, machine.Dump, machine.Own, rule.Uids);
        }
        catch (SystemCallException)
        {
            return null;
        }
    }

    private static FeatureSupport Filter(string name, Machine machine, Func<SocketDump, NetworkNamespace, Failure> ask)
    {
        try
        {
            return new FeatureSupport(name, ask(machine.Dump, machine.Own));
        }
        catch (SystemCallException e)
        {
            return new FeatureSupport(name, e.Failure);
        }
    }

    private static void Add(StringBuilder text, JsonRecords? records, FeatureSupport support, string why)
    {
        string word = support.Availability switch
        {
            Availability.Full => "yes",
            Availability.Partial => "partly",
            Availability.None => "no",
        };
        records?.Ability(support.Name, word, support.IsPossible, why);
        text.Append(support.Name.PadRight(18)).Append(word).Append(why.Length > 0 ? "   " : "").Append(why).Append('\n');
    }
}
