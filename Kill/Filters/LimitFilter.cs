using TcpCloser.Diag;
using TcpCloser.Proc;
using TcpCloser.Rules;

namespace TcpCloser.Kill;

/// <summary>
/// Skips the candidates above <c>--limit</c>: the longest idle ones are closed first. An MPTCP connection counts once, because it is closed
/// whole. A candidate that the method certainly cannot close does not count, so that it does not keep the others waiting in every round.
/// </summary>
/// <param name="reach">The reach of the method. If it ends processes, everything that they hold counts.</param>
internal sealed class LimitFilter(int limit, Reach reach) : IStep
{
    public Stage Stage => Stage.Limit;

    public void Run(ConnectionList candidates, RoundContext round)
    {
        if (candidates.Count == 0 || round.Stop.StopRequested())
        {
            return;
        }

        if (reach == Reach.Process)
        {
            RunByProcess(candidates, round);
            return;
        }

        var results = new ResultBatch(round.Report);
        var decided = new MptcpDecisions();
        int left = limit;
        foreach (ulong key in IdleOrder.LongestFirst(candidates))
        {
            int i = (int)(uint)key;
            ref Connection connection = ref candidates[i];
            if (IsUnreachable(in connection, round.Rule))
            {
                continue;
            }

            if (!decided.TryGet(in connection, out bool isWithin))
            {
                isWithin = left > 0;
                left -= isWithin ? 1 : 0;
                decided.Set(in connection, isWithin);
            }

            if (!isWithin)
            {
                results.Add(i, Outcome.OverLimit);
            }
        }

        results.Flush();
    }

    /// <summary>Whether the method cannot close the connection, as the dump already shows.</summary>
    private bool IsUnreachable(ref readonly Connection connection, Rule rule) =>
        reach == Reach.Socket ? connection.Inode == 0 : rule.Method == Method.Destroy && connection.IsMptcp;

    private void RunByProcess(ConnectionList candidates, RoundContext round)
    {
        using IProcessTable table = round.Machine.OpenProcesses();
        SocketHolders found = round.Holders.Ensure(table, Known.AllCounted, candidates, round.LeftAlone);
        var rule = new HolderRule(found, table.OverflowUid);
        var budget = new ProcessBudget(limit, new InodeIndex(candidates));
        var results = new ResultBatch(round.Report);
        foreach (ulong key in IdleOrder.LongestFirst(candidates))
        {
            int i = (int)(uint)key;
            ref Connection connection = ref candidates[i];
            if (rule.Reason(in connection) is null && !budget.Spend(found.Of(connection.Inode)))
            {
                results.Add(i, Outcome.OverLimit);
            }
        }

        results.Flush();
    }
}

/// <summary>
/// How many connections may still end with the processes that are signalled. A process is signalled only if everything that it holds fits,
/// candidates and others.
/// </summary>
/// <param name="index">The candidates; an inode counts once, whatever number of subflows it has.</param>
internal sealed class ProcessBudget(int limit, InodeIndex index)
{
    private readonly HashSet<SocketHolder> _ended = [];
    private readonly HashSet<SocketHolder> _tooLarge = [];
    private readonly HashSet<uint> _lost = [];
    private readonly HashSet<uint> _more = [];
    private int _left = limit;

    /// <summary>Ends these processes if everything that they hold fits. Returns whether they end.</summary>
    /// <param name="holders">All holders of a candidate: it ends only if all of them do.</param>
    public bool Spend(SocketHolder[] holders)
    {
        _more.Clear();
        long others = 0;
        foreach (SocketHolder holder in holders)
        {
            if (_tooLarge.Contains(holder))
            {
                return false;
            }

            if (!_ended.Contains(holder))
            {
                others += holder.OtherConnections ?? 0;
                AddCandidates(holder, _left - others);
            }
        }

        if (_more.Count + others > _left)
        {
            if (holders.Length == 1)
            {
                // It never fits later: if other processes take connections of this one with them, the budget shrinks by as many.
                _tooLarge.Add(holders[0]);
            }

            return false;
        }

        _left -= _more.Count + (int)others;
        _lost.UnionWith(_more);
        _ended.UnionWith(holders);
        return true;
    }

    /// <summary>Adds the candidates that a process holds, up to one more than fit.</summary>
    private void AddCandidates(SocketHolder holder, long room)
    {
        foreach (HeldSocket socket in holder.Sockets)
        {
            if (_more.Count > room)
            {
                return;
            }

            if (index.Contains(socket.Inode) && !_lost.Contains(socket.Inode))
            {
                _more.Add(socket.Inode);
            }
        }
    }
}
