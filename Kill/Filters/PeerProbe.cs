using TcpCloser.Diag;
using TcpCloser.Interop;
using TcpCloser.Proc;
using TcpCloser.Rules;

namespace TcpCloser.Kill;

/// <summary>
/// Probes the peers of candidates through the sockets themselves, and skips candidates whose peers answer or cannot be probed. The peers of
/// the remaining candidates are silent. Candidates that their unacknowledged data proves dead are not probed.
/// </summary>
internal sealed class PeerProbe : IStep
{
    /// <summary>Checks whether this kernel and these privileges allow probing.</summary>
    public static FeatureSupport Check(Machine machine, IReadOnlyList<uint> uids)
    {
        try
        {
            using IProcessTable table = machine.OpenProcesses();
            int errno = table.TryProbe();
            return errno == 0 ? HolderCheck.RunFetch("probe", machine, uids) : new FeatureSupport("probe", new Failure(Operation.ProbePeer, errno));
        }
        catch (SystemCallException e)
        {
            return new FeatureSupport("probe", e.Failure);
        }
    }

    public Stage Stage => Stage.Probe;

    public void Run(ConnectionList candidates, RoundContext round)
    {
        ProbedPeers peers = SelectPeers(candidates, round.Report);
        UnaskedPeers unasked = peers.Unasked;
        unasked.Wanted = peers.Count;
        if (peers.Count > 0)
        {
            try
            {
                using IProcessTable table = round.Machine.OpenProcesses();
                using var run = new ProbeRun(candidates, peers, table, round);
                run.Run();
            }
            catch (SystemCallException e)
            {
                SkipAll(peers, e.Failure, round.Report);
            }

            unasked.Visibility = unasked.Unheld == 0 ? null : HolderVisibility.Of(candidates, Outcome.Unasked, round.Machine);
            round.Report.Unasked(unasked);
        }
    }

    /// <summary>Selects the candidates to probe. Candidates that cannot be probed, as the dump already shows, are skipped.</summary>
    private static ProbedPeers SelectPeers(ConnectionList candidates, IResultSink sink)
    {
        var results = new ResultBatch(sink);
        var peers = new ProbedPeers(candidates.Count);
        int states = 0;
        for (int i = 0; i < candidates.Count; i++)
        {
            ref Connection connection = ref candidates[i];
            if (connection.IsProvenDead)
            {
                continue;
            }

            if (connection.IsMptcp)
            {
                results.Add(i, Outcome.UnprovedMptcp);
            }
            else if (connection.State != TcpState.Established)
            {
                results.Add(i, Outcome.UnprovedState);
                states++;
            }
            else
            {
                peers.Add(i);
            }
        }

        results.Flush();
        if (states > 0 && peers.Count == 0)
        {
            sink.Notice($"--probe works only for established connections, and {(states == 1 ? "the only connection that matched is" : $"all {states} connections that matched are")} " +
                "in another state: use -t for these");
        }

        return peers;
    }

    /// <summary>Skips every peer without a verdict, because processes cannot be inspected, or no longer.</summary>
    private static void SkipAll(ProbedPeers peers, Failure failure, IResultSink sink)
    {
        var results = new ResultBatch(sink);
        for (int i = 0; i < peers.Count; i++)
        {
            if (peers[i].Index >= 0)
            {
                peers.Unasked.AddRefused(failure);
                results.Add(peers[i].Index, Outcome.Unasked, failure.Errno);
            }
        }

        results.Flush();
    }
}

/// <summary>The peers that could not be probed, and why.</summary>
internal sealed class UnaskedPeers
{
    /// <summary>How many peers were to be probed.</summary>
    public int Wanted { get; set; }

    /// <summary>How many of them could not be probed.</summary>
    public int Count { get; private set; }

    /// <summary>Of those, the number whose socket has no visible holder, although every process could be inspected.</summary>
    public int Unheld { get; private set; }

    /// <summary>Why the holders of such sockets may be invisible; null: as far as is known, they are not.</summary>
    public HolderVisibility? Visibility { get; set; }

    /// <summary>Of those, the number whose socket may be held by a process that could not be inspected.</summary>
    public int Hidden { get; private set; }

    /// <summary>The processes that could not be inspected.</summary>
    public UnreadableProcesses? Unreadable { get; private set; }

    /// <summary>Of those, the number whose probe was refused; <see cref="Failure"/> is the first refusal.</summary>
    public int Refused { get; private set; }

    public Failure Failure { get; private set; }

    public void AddUnheld()
    {
        Count++;
        Unheld++;
    }

    public void AddHidden(UnreadableProcesses unreadable)
    {
        Count++;
        Hidden++;
        Unreadable = unreadable;
    }

    public void AddRefused(Failure failure)
    {
        Failure = Refused == 0 ? failure : Failure;
        Count++;
        Refused++;
    }
}
