using TcpCloser.Diag;
using TcpCloser.Interop;
using TcpCloser.Kill;
using TcpCloser.Proc;
using TcpCloser.Report;
using TcpCloser.Rules;

namespace TcpCloser.Run;

/// <summary>Finds the sockets of the processes that a rule names or excludes (<c>--pid</c>, <c>--comm</c>, <c>--not-comm</c>).</summary>
/// <param name="report">Receives warnings and failures.</param>
internal sealed class ProcessLookup(Rule rule, Machine machine, RoundReport report)
{
    /// <summary>Messages name this many processes; more are cut.</summary>
    private const int MaxShown = 5;

    /// <summary>The processes that <c>--pid</c> and <c>--comm</c> select.</summary>
    public IReadOnlyList<int> NamedPids { get; private set; } = [];

    /// <summary>The inodes of their sockets; null: neither option was given.</summary>
    public HashSet<uint>? OwnedInodes { get; private set; }

    /// <summary>The inodes of the sockets that <c>--not-comm</c> excludes; null: it was not given.</summary>
    public HashSet<uint>? ExcludedInodes { get; private set; }

    /// <summary>Whether an excluded process may hold any socket, because some processes could not be inspected.</summary>
    public bool ExcludesEveryHeld { get; private set; }

    /// <summary>Whether an excluded process may accept a connection that no process has accepted yet.</summary>
    public bool ExcludesQueued { get; private set; }

    /// <summary>Finds the sockets as they are now.</summary>
    /// <param name="namespaces">The network namespaces of the connections.</param>
    /// <exception cref="SystemCallException">The processes could not be listed.</exception>
    public void Find(IReadOnlyList<NetworkNamespace> namespaces)
    {
        OwnedInodes = rule.NamesProcesses ? FindOwnedInodes(namespaces) : null;
        ExcludedInodes = rule.NotComms.Count > 0 ? FindExcludedInodes(namespaces) : null;
    }

    /// <summary>The values of <c>--pid</c> and <c>--comm</c> for a message, shortened if there are many.</summary>
    private string NamedProcessOptions()
    {
        var options = new List<string>();
        if (rule.Pids.Count > 0)
        {
            options.Add("--pid " + string.Join(',', rule.Pids.GetRange(0, Math.Min(rule.Pids.Count, MaxShown))) + (rule.Pids.Count > MaxShown ? ",..." : ""));
        }

        if (rule.Comms.Count > 0)
        {
            options.Add("--comm " + Shown(rule.Comms));
        }

        return string.Join(" and ", options);
    }

    private static string Shown(List<string> comms) =>
        string.Join(',', comms.GetRange(0, Math.Min(comms.Count, MaxShown)).ConvertAll(Escape.Text)) + (comms.Count > MaxShown ? ",..." : "");

    /// <summary>
    /// The inodes of the sockets that <c>--not-comm</c> excludes. If a process that holds one may be invisible, every socket that a process
    /// holds is excluded.
    /// </summary>
    private HashSet<uint> FindExcludedInodes(IReadOnlyList<NetworkNamespace> namespaces)
    {
        using IProcessTable table = machine.OpenProcesses();
        var excluded = new ExcludedSockets(table, rule.NotComms);
        Failure failure = excluded.Failure;
        for (int i = 0; i < namespaces.Count && failure.IsNone; i++)
        {
            failure = new HolderVisibility(table, machine.Dump, namespaces[i], uids: []).Failure;
        }

        ExcludesEveryHeld = !failure.IsNone;
        ExcludesQueued = ExcludesEveryHeld || excluded.HasProcesses;
        if (ExcludesEveryHeld)
        {
            report.Problem(failure);
            report.Message(Level.Error, $"--not-comm {Shown(rule.NotComms)}: not every process could be inspected, so no socket that a process holds is closed");
        }
        else if (!excluded.HasProcesses)
        {
            report.Message(Level.Warning, $"no process matches --not-comm {Shown(rule.NotComms)}, so it excludes no connection");
        }

        return excluded.Inodes;
    }

    private HashSet<uint> FindOwnedInodes(IReadOnlyList<NetworkNamespace> namespaces)
    {
        using IProcessTable table = machine.OpenProcesses();
        var processes = new NamedProcesses(table, rule.Pids, rule.Comms);
        if (!ReportUnseen(table, processes, namespaces) && processes.Pids.Count == 0 && processes.Unreadable.Count == 0)
        {
            report.Message(Level.Warning, $"no process matches {NamedProcessOptions()}, so no connection does");
        }

        if (processes.Unreadable.Count > 0)
        {
            UnreadableProcesses unreadable = processes.Unreadable;
            report.Failed(unreadable.Failure, isAll: unreadable.Count >= processes.Pids.Count);
        }

        NamedPids = processes.Pids;
        return processes.Inodes;
    }

    /// <summary>
    /// Reports that selected processes may be invisible, because then it is unknown whether there are any. Returns whether it did.
    /// </summary>
    private bool ReportUnseen(IProcessTable table, NamedProcesses processes, IReadOnlyList<NetworkNamespace> namespaces)
    {
        bool foundNone = processes.Pids.Count == 0 && processes.Unreadable.Count == 0;
        if (IsHidden(table))
        {
            report.Failed(new Failure(Operation.SeeProcesses, Errno.ENOENT), isAll: foundNone);
            return true;
        }

        foreach (NetworkNamespace network in foundNone ? namespaces : [])
        {
            var visibility = new HolderVisibility(table, machine.Dump, network, rule.Uids);
            if (visibility.Failure.Operation == Operation.FindHolders && !visibility.IsWhole)
            {
                report.Failed(visibility.Failure, isAll: !visibility.IsPartial);
                return true;
            }
        }

        return false;
    }

    /// <summary>
    /// Whether /proc hides processes that <c>--pid</c> selects or that <c>--comm</c> may select. It never hides the user's own processes.
    /// </summary>
    private bool IsHidden(IProcessTable table)
    {
        if (rule.Pids.Count == 0)
        {
            return HiddenProcess.Any(table) && !NamesOnlyOwnUser(table);
        }

        foreach (int pid in rule.Pids)
        {
            if (HiddenProcess.Is(table, pid))
            {
                return true;
            }
        }

        return false;
    }

    private bool NamesOnlyOwnUser(IProcessTable table) =>
        rule.Uids.Count == 1
        && table.ReadFile(table.Self, "status"u8, out byte[] content) == 0
        && ProcessStatus.Parse(content).EffectiveUid == rule.Uids[0];
}
