using TcpCloser.Cli;
using TcpCloser.Diag;
using TcpCloser.Interop;
using TcpCloser.Proc;

namespace TcpCloser.Kill;

/// <summary>
/// Ends connections by signalling the processes that hold them, which ends everything else those processes do too. Each
/// process is looked at again right before its signal, through a pidfd, so that neither a reused pid nor a reused
/// descriptor is hit.
/// </summary>
internal sealed class ProcessKiller(Rule rule, IdleRule idleRule, Func<IProcessTable> openProcesses) : ICloseMethod
{
    /// <summary>How long a connection may take to go after the last signal, without a grace.</summary>
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(1);

    public string Name => MethodName.Of(Method.Kill);

    public bool NeedsOwners => true;

    public bool EndsProcesses => true;

    public bool EndsWholeMptcp => false;

    /// <summary>Whether every process may be looked into and signalled: asked by signal 0.</summary>
    public Ability Check(IReadOnlyList<uint> uids) => OwnerCheck.Run(Name, openProcesses, uids, static (table, pid) =>
    {
        const int NoHandle = -1;
        const int NoSignal = 0;
        return (Operation.SignalProcess, table.SendSignal(NoHandle, pid, NoSignal));
    });

    public Outcome? Obstacle(ref readonly Connection connection, SocketOwners owners)
    {
        SocketHolder[] holders = owners.Of(connection.Inode);
        return holders.Length == 0 ? OwnerRule.NoOwner(in connection, owners) : OwnerRule.Reason(in connection, holders);
    }

    public void Close(ConnectionList candidates, IResultSink sink, Func<bool> stopRequested)
    {
        using IProcessTable table = openProcesses();
        using var watch = new ConnectionWatch(candidates);
        var index = new InodeIndex(candidates);
        var owners = SocketOwners.All(table, index.Contains, index.Count);
        sink.Found(owners);
        var run = new KillRun(candidates, index, owners, watch, table, idleRule, sink);
        try
        {
            SignalAll(run, owners.Holders, stopRequested);
        }
        finally
        {
            run.Complete();
            run.TellProblems(owners);
        }
    }

    private void SignalAll(KillRun run, List<SocketHolder> holders, Func<bool> stopRequested)
    {
        bool stopped = false;
        foreach (SocketHolder holder in holders)
        {
            stopped = stopped || stopRequested();
            if (stopped)
            {
                run.LeaveAlone(holder);
            }
            else
            {
                run.SignalHolder(holder, rule.Signal);
            }
        }

        TimeSpan patience = rule.Grace ?? s_patience;
        stopped = stopped || !run.AwaitGone(patience, stopRequested);
        if (rule.Grace is not null && !stopped && run.SignalSurvivors(holders))
        {
            run.AwaitGone(s_patience > patience ? s_patience : patience, stopRequested);
        }
    }
}
