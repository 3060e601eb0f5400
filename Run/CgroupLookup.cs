using TcpCloser.Interop;
using TcpCloser.Proc;
using TcpCloser.Report;
using TcpCloser.Rules;

namespace TcpCloser.Run;

/// <summary>Finds the cgroups that a rule names or excludes (<c>--cgroup</c>, <c>--pod</c>, <c>--not-cgroup</c>).</summary>
/// <param name="report">Receives warnings and failures.</param>
internal sealed class CgroupLookup(Rule rule, CgroupNames cgroups, RoundReport report)
{
    /// <summary>The ids of the cgroups that are selected; null: any.</summary>
    public HashSet<ulong>? Ids { get; private set; }

    /// <summary>For each cgroup that is visible, whether it is excluded; null: none is.</summary>
    public Dictionary<ulong, bool>? Exclusions { get; private set; }

    /// <summary>
    /// Finds the cgroups that the rule names, and those below them. Anything that cannot be read may be one of them, so that is reported.
    /// </summary>
    public void Find()
    {
        if (!rule.NamesCgroups)
        {
            return;
        }

        CgroupTree tree = cgroups.Tree;
        tree.Read();
        if (!tree.Failure.IsNone)
        {
            report.Failed(tree.Failure, isAll: tree.Count == 0);
        }

        Ids = rule.Cgroups.Count > 0 ? CgroupIds(rule.Cgroups, "no connection matches it") : null;
        if (rule.Pods.Count > 0)
        {
            HashSet<ulong> ofPods = PodIds();
            ofPods.IntersectWith(Ids ?? ofPods);
            Ids = ofPods;
        }

        Exclusions = rule.NotCgroups.Count > 0 ? ExclusionsOf(CgroupIds(rule.NotCgroups, "nothing is excluded by it")) : null;
    }

    private Dictionary<ulong, bool> ExclusionsOf(HashSet<ulong> excluded)
    {
        CgroupTree tree = cgroups.Tree;
        var exclusions = new Dictionary<ulong, bool>(tree.Count);
        for (int i = 0; i < tree.Count; i++)
        {
            exclusions[tree.IdOf(i)] = excluded.Contains(tree.IdOf(i));
        }

        return exclusions;
    }

    /// <param name="effect">What follows if a cgroup does not exist.</param>
    private HashSet<ulong> CgroupIds(IReadOnlyList<string> values, string effect)
    {
        var ids = new HashSet<ulong>();
        foreach (string value in values)
        {
            int errno = CgroupPattern.Parse(value)!.AddIds(cgroups.Tree, ids);
            if (errno is Errno.ENOENT or Errno.ENOTDIR)
            {
                report.Message(Level.Warning, $"cgroup {Escape.Text(value)} {WhyMissing()}, so {effect}");
            }
            else if (errno != 0)
            {
                report.Problem(new Failure(Operation.FindCgroup, errno, Escape.Text(value)));
            }
        }

        return ids;
    }

    private HashSet<ulong> PodIds()
    {
        var ids = new HashSet<ulong>();
        foreach (string value in rule.Pods)
        {
            PodPattern pattern = PodPattern.Parse(value)!;
            bool isFound = false;
            for (int i = 0; i < cgroups.Tree.Count; i++)
            {
                ulong id = cgroups.Tree.IdOf(i);
                if (pattern.Matches(cgroups.Of(id).Pod))
                {
                    ids.Add(id);
                    isFound = true;
                }
            }

            if (!isFound)
            {
                report.Message(Level.Warning, $"pod {value} {WhyMissing()}, so no connection matches it");
            }
        }

        if (!cgroups.Pods.Failure.IsNone)
        {
            report.Incomplete(cgroups.Pods.Failure);
        }

        return ids;
    }

    private string WhyMissing() =>
        cgroups.HasNames && !cgroups.Tree.IsWhole ? "is not visible here, where only a part of the cgroups is (a private cgroup namespace)"
        : "does not exist now";
}
