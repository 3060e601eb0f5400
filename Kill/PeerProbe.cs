using TcpCloser.Diag;
using TcpCloser.Proc;

namespace TcpCloser.Kill;

/// <summary>
/// Asks the peers of candidates whether they live, by TCP keepalive probes from the sockets themselves, and leaves those alone whose
/// peer answers, or cannot be asked without a risk for the connection. What stays is silent.
/// </summary>
/// <param name="time">How long a peer may be silent.</param>
/// <param name="openProcesses">Opens the table of processes.</param>
/// <param name="order">Where to look for the sockets first.</param>
internal sealed class PeerProbe(TimeSpan time, Func<IProcessTable> openProcesses, SearchOrder order) : ICandidateFilter
{
    /// <summary>What this kernel and these privileges allow of it.</summary>
    public static Ability Check(Func<IProcessTable> openProcesses, IReadOnlyList<uint> uids) => FetchCheck.Run("probe", openProcesses, uids);

    public void Apply(ConnectionList candidates, IResultSink sink, Func<bool> stopRequested)
    {
        if (candidates.Count == 0)
        {
            return;
        }

        using IProcessTable table = openProcesses();
        var index = new InodeIndex(candidates);
        using var search = new HolderSearch(table, order.Processes(table, index.Uids), index.Contains, index.Count);
        sink.Found(search.Owners);
        var peers = new ProbedPeers(candidates.Count, search, index, Environment.TickCount64);
        order.Remember(search.Owners.Holders);
        var verdicts = new ProbeVerdicts(candidates, peers, search.Owners, sink);
        using var run = new ProbeRun(candidates, table, peers, new ProbeRule(time), verdicts);
        verdicts.TellUnheld();
        while (run.HasUnanswered && !stopRequested())
        {
            run.Ask(stopRequested);
            run.Wait(stopRequested);
            run.Look();
        }

        verdicts.TellProblems();
    }
}
