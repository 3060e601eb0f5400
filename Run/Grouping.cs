using TcpCloser.Diag;
using TcpCloser.Interop;
using TcpCloser.Kill;
using TcpCloser.Proc;
using TcpCloser.Report;
using TcpCloser.Rules;

namespace TcpCloser.Run;

/// <summary><c>--group-by</c>: counts the candidates that have a key in common, and closes none.</summary>
internal sealed class Grouping(
    GroupKey key, ICloseMethod method, ConnectionList candidates, Counts counts, Preview preview, RoundReport report, CgroupNames cgroups)
{
    /// <summary>Shows the groups. After a stop request while peers were probed, those without a verdict count as unproved.</summary>
    /// <returns>Whether every verdict was there; if so, a stop request interrupted nothing.</returns>
    public bool Run(IStopSource stop)
    {
        bool isInterrupted = stop.StopRequested() && CompleteUnproved();
        if (GroupKeys.NeedsHolders(key))
        {
            preview.FindHolders(candidates);
        }

        if (key is GroupKey.Unit or GroupKey.Pod && candidates.Count > 0)
        {
            ReportHiddenCgroups();
        }

        report.WouldClose(method);
        for (int i = 0; i < candidates.Count; i++)
        {
            counts.WouldClose += candidates[i].Outcome == Outcome.Pending ? 1 : 0;
        }

        if (isInterrupted)
        {
            report.Message(Level.Error, $"interrupted by {Signal.NameOf(stop.StopSignal)}: connections whose peers did not have enough time to answer count as unproved");
        }

        return !isInterrupted;
    }

    /// <summary>Reports why the cgroups of connections are unknown, or why their pods are.</summary>
    private void ReportHiddenCgroups()
    {
        cgroups.EnsureCurrent();
        foreach (Failure failure in (ReadOnlySpan<Failure>)[cgroups.Tree.Failure, cgroups.Pods.Failure])
        {
            if (!failure.IsNone)
            {
                report.Message(Level.Warning, Remedies.Describe(failure));
            }
        }

        if (cgroups.Tree.Count > 0 && !(cgroups.HasNames && cgroups.Tree.IsWhole))
        {
            report.Message(Level.Warning, cgroups.HasNames
                ? "only the cgroups below that of this process are visible here (a private cgroup namespace), so the names of others are unknown: " +
                  "mount the cgroup2 file system of the host"
                : "every socket is in the root cgroup, so units, containers and pods are unknown: the kernel reports cgroups of version 2 only, and this " +
                  "machine does not use them");
        }
    }

    /// <summary>Completes the candidates whose peers have no verdict. Returns whether there were any.</summary>
    private bool CompleteUnproved()
    {
        bool any = false;
        for (int i = 0; i < candidates.Count && counts.HasVerdicts; i++)
        {
            if (candidates[i].IsPending && !candidates[i].IsProvenDead && !candidates.IsCalledSilent(i))
            {
                report.Completed([new Result(i, Outcome.Unproved, 0, Method.Auto)]);
                any = true;
            }
        }

        return any;
    }
}
