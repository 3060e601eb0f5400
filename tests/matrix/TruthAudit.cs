namespace TcpCloser.Matrix;

/// <summary>Checks what was closed and what is alive, by what the ends, the kernel and the processes show.</summary>
internal sealed class TruthAudit(Row row, Model model, Scene scene, Findings findings)
{
    /// <summary>The time that the ends may need to see what was done to them.</summary>
    private static readonly TimeSpan s_noticeLimit = TimeSpan.FromSeconds(3);
    private static readonly TimeSpan s_pause = TimeSpan.FromMilliseconds(20);

    /// <summary>Checks all connections and processes after a run.</summary>
    /// <param name="wasInactive">Whether the run was a dry run, was refused, or ended before it could close anything.</param>
    /// <param name="signalled">The processes that were signalled according to the report.</param>
    /// <param name="run">The prefix of findings.</param>
    internal void Judge(bool wasInactive, IReadOnlySet<int> signalled, string run)
    {
        if (!wasInactive && model.Dead is [Fate.Closed])
        {
            _ = AwaitClosed(s_noticeLimit, static () => false);
        }

        foreach (Group group in scene.Dead)
        {
            bool mustLive = wasInactive || !model.Searches(group);
            bool mayClose = !mustLive && model.Dead.Contains(Fate.Closed);
            bool mustClose = mayClose && model.Dead.Count == 1;
            Expect(group, mustClose ? Truth.Closed : Truth.Alive, mayClose, run);
            if (mustClose)
            {
                JudgePeers(group, run);
            }
            findings.AddIf(!mustLive && model.Dead is [Fate.Cured] && !group.AllHaveKeepalive(),
                $"{run}{group.Name}: no keepalive timer runs");
            JudgeProcesses(group, mayEnd: row.Kills && mayClose, signalled, run);
        }

        foreach (Group group in scene.Living.Concat(scene.Bystanders))
        {
            Expect(group, Truth.Alive, mayClose: false, run);
            JudgeProcesses(group, mayEnd: false, signalled, run);
        }
    }

    /// <summary>Waits until all of the dead in searched namespaces are closed; false if the time is over, or the run has ended.</summary>
    internal bool AwaitClosed(TimeSpan limit, Func<bool> hasEnded)
    {
        long start = Environment.TickCount64;
        while (!scene.Dead.Where(model.Searches).All(static group => group.Truths().TrueForAll(static truth => truth == Truth.Closed)))
        {
            if (hasEnded() || Environment.TickCount64 - start > limit.TotalMilliseconds)
            {
                return false;
            }

            Thread.Sleep(s_pause);
        }

        return true;
    }

    private void Expect(Group group, Truth expected, bool mayClose, string run)
    {
        List<Truth> truths = group.Truths();
        for (int i = 0; i < truths.Count; i++)
        {
            findings.AddIf(truths[i] != expected && !(mayClose && truths[i] == Truth.Closed),
                $"{run}{group.Name} {group.Subjects[i].Ends} is {Name(truths[i])}, expected {Name(expected)}");
        }
    }

    /// <summary>Checks that the peer of a connection that the kernel closed gets a reset, if it can.</summary>
    private void JudgePeers(Group group, string run)
    {
        bool getsReset = !row.Kills && !group.IsDeaf && (row.IsEstablished || row.Connection == "close-wait");
        if (getsReset && group.Truths().TrueForAll(static truth => truth == Truth.Closed)
            && group.PeerViews().Find(static view => view is not ("none" or "reset")) is { } view)
        {
            findings.Add($"{run}{group.Name}: the peer of a closed connection saw '{view}', not a reset");
        }
    }

    /// <summary>Checks that only processes that hold connections to be closed have ended, and that each of them is in the report.</summary>
    private void JudgeProcesses(Group group, bool mayEnd, IReadOnlySet<int> signalled, string run)
    {
        int[] holders = group.EndedPids(holders: true);
        if (group.EndedPids(holders: false).Length > 0 || (holders.Length > 0 && !mayEnd))
        {
            findings.Add($"{run}{group.Name}: a process has ended that had to stay alive");
        }
        else if (holders.FirstOrDefault(pid => !signalled.Contains(pid)) is var pid and not 0)
        {
            findings.Add($"{run}{group.Name}: process {pid} has ended, but no signal to it is reported");
        }
    }

    internal static string Name(Truth truth) => truth.ToString().ToLowerInvariant();
}
