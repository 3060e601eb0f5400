using TcpCloser.Diag;
using TcpCloser.Interop;
using TcpCloser.Proc;
using TcpCloser.Rules;

namespace TcpCloser.Kill;

/// <summary>
/// Ends connections by signalling their holders, which also ends everything else that those processes do. Each process is checked again
/// right before its signal, through a pidfd, so that neither a reused pid nor a reused descriptor is hit.
/// </summary>
internal sealed class ProcessKiller(Rule rule) : ICloseMethod
{
    /// <summary>How long to wait for connections to close after the last signal.</summary>
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(1);

    public string Name => MethodName.Of(Method.Kill);

    public Reach Reach => Reach.Process;

    /// <summary>Checks whether every process may be inspected and signalled, by sending signal 0.</summary>
    public FeatureSupport Check(Machine machine, NetworkNamespace network, IReadOnlyList<uint> uids) =>
        HolderCheck.Run(Name, machine, uids, static (table, pid) =>
        {
            const int NoHandle = -1;
            const int NoSignal = 0;
            return Failure.If(Operation.SignalProcess, table.SendSignal(NoHandle, pid, NoSignal));
        });

    public void Preview(ConnectionList candidates, RoundContext round)
    {
        using IProcessTable table = round.Machine.OpenProcesses();
        using var run = new KillRun(candidates, table, round, round.Holders.Ensure(table, Known.All, candidates));
        WarnOfFamilies(table, run, round.Report);
        run.Preview();
        run.ReportProblems();
    }

    public void Run(ConnectionList candidates, RoundContext round)
    {
        using IProcessTable table = round.Machine.OpenProcesses();

        // Search again: holders that were found earlier may have changed, and must not be signalled unchecked.
        using var run = new KillRun(candidates, table, round, known: null);
        WarnOfFamilies(table, run, round.Report);
        try
        {
            SignalAll(run, round.Stop);
        }
        finally
        {
            run.Complete();
            run.ReportProblems();
        }
    }

    private void SignalAll(KillRun run, IStopSource stop)
    {
        bool stopped = false;
        foreach (SocketHolder holder in run.Holders)
        {
            stopped = stopped || stop.StopRequested();
            if (stopped)
            {
                run.Skip(holder);
            }
            else
            {
                run.SignalHolder(holder, rule.Signal);
            }
        }

        TimeSpan patience = rule.Grace ?? s_patience;
        stopped = stopped || !run.AwaitGone(patience);
        if (rule.Grace is not null && !stopped && run.SignalSurvivors())
        {
            run.AwaitGone(s_patience);
        }
    }

    private void WarnOfFamilies(IProcessTable table, KillRun run, IResultSink sink)
    {
        bool mayKill = rule.Signal == Signal.SIGKILL || rule.Grace is not null;
        if (mayKill && ProcessFamily.Find(table, run.ToBeSignalled(), hasGrace: rule.Grace is not null) is { } warning)
        {
            sink.Notice(warning);
        }
    }
}
