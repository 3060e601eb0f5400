using TcpCloser.Diag;

namespace TcpCloser.Kill;

/// <summary>
/// Ends connections by signalling the processes that hold them, which ends everything else those processes do too. Each
/// process is looked at again right before its signal, through a pidfd, so that neither a reused pid nor a reused
/// descriptor is hit.
/// </summary>
internal sealed class ProcessKiller(IdleRule idleRule, int signal, TimeSpan? grace) : IConnectionCloser
{
    /// <summary>How long a connection may take to go after the last signal, without a grace.</summary>
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(1);

    public void Close(ConnectionList doomed, IWitness witness, Func<bool> stopRequested)
    {
        using var proc = new ProcDirectory();
        using var watch = new ConnectionWatch(doomed);
        var index = new InodeIndex(doomed);
        var owners = new SocketOwners(proc.Descriptor, index);
        var run = new KillRun(doomed, index, watch, proc, idleRule, witness);
        bool stopped = false;
        foreach (SocketHolder holder in owners.Holders)
        {
            stopped = stopped || stopRequested();
            if (holder.Protection is not null)
            {
                run.Mark(holder, HeldState.Protected);
            }
            else if (stopped)
            {
                run.Mark(holder, HeldState.NotReached);
            }
            else
            {
                run.SignalHolder(holder, signal);
            }
        }

        TimeSpan patience = grace ?? s_patience;
        stopped = stopped || !run.AwaitGone(patience, stopRequested);
        if (grace is not null && !stopped && run.SignalSurvivors(owners.Holders))
        {
            stopped = !run.AwaitGone(s_patience > patience ? s_patience : patience, stopRequested);
        }

        run.Settle();
        witness.Settled(doomed, 0, doomed.Count);
        Explain(run, owners, witness);
    }

    private static void Explain(KillRun run, SocketOwners owners, IWitness witness)
    {
        if (owners.Unreadable > 0 && run.HasUnowned)
        {
            witness.Hindered(owners.WhyUnreadable, hopeless: true);
        }
        else if (run.WasRefused)
        {
            witness.Hindered("a process may not be signalled: CAP_KILL is missing; run as root", hopeless: true);
        }
    }
}
