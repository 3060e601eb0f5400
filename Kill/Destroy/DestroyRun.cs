using TcpCloser.Diag;
using TcpCloser.Interop;
using TcpCloser.Rules;

namespace TcpCloser.Kill;

/// <summary>One pass of <see cref="SockDestroyer"/>.</summary>
internal sealed class DestroyRun(ConnectionList candidates, RoundContext round, ResultBatch results, bool leavesUnsupported) : IDisposable
{
    private readonly ConnectionWatch _watch = new(candidates);

    /// <summary>Previews the connections of one namespace.</summary>
    /// <param name="answer">The kernel's answer to the trial request in that namespace.</param>
    /// <returns>The refusal that applies to all of them; none: there is none.</returns>
    public Failure Preview(int start, int end, DestroyItem answer)
    {
        // A refusal that does not apply to all connections concerns only the trial request.
        bool isRefused = answer.AppliesToAll;
        for (int i = start; i < end; i++)
        {
            ref Connection connection = ref candidates[i];
            if (connection.IsPending && !IsLeftToFallback(in connection, isRefused))
            {
                results.Add(i, Blocker(in connection) ?? (isRefused ? Outcome.Failed : Outcome.Pending), isRefused ? answer.Errno : 0);
            }
        }

        results.Flush();
        return isRefused ? new Failure(Operation.DestroySocket, answer.Errno) : default;
    }

    /// <summary>Ends the connections of one namespace.</summary>
    /// <returns>The refusal that applies to all of them; none: there is none.</returns>
    public Failure Close(DestroyBatch batch, NetworkNamespace network, int start, int end)
    {
        Failure refusal = default;
        int next = start;
        while (next < end && refusal.IsNone)
        {
            if (round.Stop.StopRequested())
            {
                Complete(next, end, Outcome.NotReached, 0);
                return default;
            }

            next = Fill(batch, next, end);
            batch.Run();
            try
            {
                MissedSockets.Retry(round.Dump, network, candidates, batch);
            }
            catch (SystemCallException)
            {
                // What the batch destroyed has to be reported, whatever fails afterwards.
                MissedSockets.CompleteUnknown(candidates, batch);
            }

            refusal = Report(batch);
        }

        if (!refusal.IsNone && !leavesUnsupported)
        {
            Complete(next, end, Outcome.Failed, refusal.Errno);
        }

        return refusal;
    }

    /// <summary>Fails these connections because their network namespace can no longer be entered.</summary>
    public void Fail(int start, int end, Failure failure)
    {
        Complete(start, end, Outcome.Failed, failure.Errno);
        round.Report.Problem(failure);
    }

    public void Dispose() => _watch.Dispose();

    /// <summary>Completes the connections that are still pending.</summary>
    private void Complete(int start, int end, Outcome outcome, int errno)
    {
        for (int i = start; i < end; i++)
        {
            if (candidates[i].IsPending)
            {
                results.Add(i, outcome, errno);
            }
        }

        results.Flush();
    }

    /// <summary>Fills a batch with the next connections that can be tried. Returns the index at which to continue.</summary>
    private int Fill(DestroyBatch batch, int next, int end)
    {
        var recheck = new Recheck(candidates, _watch);
        batch.Clear();
        for (; next < end && batch.Count < ResultBatch.Length; next++)
        {
            if (!candidates[next].IsPending || IsLeftToFallback(in candidates[next], isRefused: false))
            {
                continue;
            }

            int errno = 0;
            if ((Blocker(in candidates[next]) ?? recheck.RunIfDue(next, out errno)) is { } outcome)
            {
                results.Add(next, outcome, errno);
            }
            else
            {
                batch.Add(next);
            }
        }

        return next;
    }

    /// <summary>
    /// Reports the verdicts of the batch. Returns the refusal that applies to every connection of the namespace; none: there is none.
    /// </summary>
    private Failure Report(DestroyBatch batch)
    {
        Failure refusal = default;
        foreach (ref DestroyItem item in batch.Items)
        {
            if (item is { Verdict: DestroyVerdict.Refused, Errno: Errno.EOPNOTSUPP } && refusal.IsNone)
            {
                JudgeUnsupported(ref item);
            }

            refusal = refusal.IsNone && item.AppliesToAll ? new Failure(Operation.DestroySocket, item.Errno) : refusal;
            if (!IsLeftToFallback(in candidates[item.Index], item.AppliesToAll || item.Verdict == DestroyVerdict.StillThere))
            {
                results.Add(item.Index, OutcomeOf(item.Verdict), item.Errno);
            }
        }

        results.Flush();
        return refusal;
    }

    /// <summary>The outcome of a connection that this method cannot end; null: it can be tried.</summary>
    private static Outcome? Blocker(ref readonly Connection connection) => connection.IsMptcp ? Outcome.Mptcp : null;

    /// <summary>Whether the connection is left to the fallback, which needs a holder.</summary>
    /// <param name="isRefused">Whether the kernel cannot destroy it, or refuses to.</param>
    private bool IsLeftToFallback(ref readonly Connection connection, bool isRefused) => leavesUnsupported
        && (connection.IsMptcp || (connection.Inode != 0 && isRefused));

    /// <summary>
    /// Decides what EOPNOTSUPP means. Before Linux 6.0, the kernel answers it for a socket that it keeps in short form (TIME_WAIT,
    /// FIN_WAIT2 without a holder), even if the socket was established when it was dumped. Only for a full socket does it mean that the
    /// kernel lacks SOCK_DESTROY.
    /// </summary>
    private void JudgeUnsupported(ref DestroyItem item)
    {
        Connection now = candidates[item.Index];
        Presence presence = IsShort(in now) ? Presence.There : _watch.Look(item.Index, out now, out _);
        if (presence == Presence.Gone)
        {
            item.SetAnswer(Errno.ENOENT);
        }
        else if (presence == Presence.Unknown || IsShort(in now))
        {
            item.Set(DestroyVerdict.NotFull, Errno.EOPNOTSUPP);
        }
    }

    private static bool IsShort(ref readonly Connection connection) =>
        connection.State == TcpState.TimeWait || (connection.State == TcpState.FinWait2 && connection.Inode == 0);

    private static Outcome OutcomeOf(DestroyVerdict verdict) => verdict switch
    {
        DestroyVerdict.Destroyed => Outcome.Destroyed,
        DestroyVerdict.Gone => Outcome.Vanished,
        DestroyVerdict.Unknown => Outcome.Unknown,
        DestroyVerdict.StillThere => Outcome.StillThere,
        DestroyVerdict.NotFull or DestroyVerdict.Refused => Outcome.Failed,
    };
}
