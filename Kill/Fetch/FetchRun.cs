using TcpCloser.Diag;
using TcpCloser.Interop;
using TcpCloser.Proc;
using TcpCloser.Rules;

namespace TcpCloser.Kill;

/// <summary>
/// Fetches the sockets of candidates from their holders and applies an action to each. Keeps the state of each candidate.
/// </summary>
/// <param name="by">The method that the results are attributed to.</param>
/// <param name="act">
/// The action on a fetched socket; null: no socket is fetched, and the run only checks whether the holders allow it.
/// </param>
internal sealed class FetchRun(ConnectionList candidates, RoundContext round, Method by, SocketAction? act) : IDisposable
{
    private readonly ResultBatch _results = new(round.Report, by);
    private readonly InodeIndex _index = new(candidates);
    private readonly bool[] _done = new bool[candidates.Count];

    /// <summary>For each candidate, the errno of the last refusal; 0: none.</summary>
    private readonly ushort[] _refused = new ushort[candidates.Count];

    private readonly ConnectionWatch _watch = new(candidates);
    private MptcpCookies? _mptcp;

    /// <summary>Whether the method failed for at least one candidate.</summary>
    public bool HasFailed => _results.HasFailed;

    /// <summary>The last refusal, and the process that it was about.</summary>
    private (Failure Failure, int Pid) _lastRefused;

    private bool _hasUnknown;
    private int _tried;
    private int _remaining;

    /// <summary>
    /// Finds a holder of each socket, fetches the socket, acts on it, and reports the outcome of every pending candidate. One holder that
    /// gives the socket is enough, so the search ends when no candidate is left.
    /// </summary>
    /// <exception cref="SystemCallException">The search for holders failed; nothing was done.</exception>
    public void Run()
    {
        if (round.Stop.StopRequested())
        {
            CompleteRest(new UnreadableProcesses(), stopped: true);
            return;
        }

        using IProcessTable table = round.Machine.OpenProcesses();
        _mptcp = MptcpCookies.Find(round.Dump, candidates);
        using var search = new HolderSearch(table, round.SearchOrder.Processes(table, _index.Uids), _index.Contains, _index.Count);
        round.Holders.Take(search.Found, Known.First);
        bool stopped = false;
        using var guard = new IgnoredSignal(Signal.SIGTSTP);
        try
        {
            stopped = ActOnAll(table, search);
        }
        finally
        {
            round.SearchOrder.Remember(search.Found.Holders);
            CompleteRest(search.Found.Unreadable, stopped);
            ReportProblems(search.Found.Unreadable);
        }
    }

    /// <summary>Does the same for a dry run, with the known holders and an action that changes nothing.</summary>
    /// <exception cref="SystemCallException">The search for holders failed.</exception>
    public void Preview()
    {
        using IProcessTable table = round.Machine.OpenProcesses();
        SocketHolders found = round.Holders.Ensure(table, Known.All, candidates);
        _mptcp = MptcpCookies.Find(round.Dump, candidates);
        using var process = new OpenProcess(table);
        foreach (SocketHolder holder in found.Holders)
        {
            foreach (HeldSocket socket in holder.Sockets)
            {
                ActOn(process, holder.Pid, socket);
            }
        }

        _results.Flush();
        CompleteRest(found.Unreadable, stopped: false);
        ReportProblems(found.Unreadable);
    }

    /// <summary>Returns whether it was stopped.</summary>
    private bool ActOnAll(IProcessTable table, HolderSearch search)
    {
        using var process = new OpenProcess(table);
        for (_remaining = _index.Count; _remaining > 0 && search.Next();)
        {
            foreach (HeldSocket socket in search.Holder.Sockets)
            {
                ActOn(process, search.Holder.Pid, socket);
                if (++_tried % ResultBatch.Length == 0 && FlushAndCheckStop())
                {
                    return true;
                }
            }

            // Finding the next holder may take long, so report the results first.
            if (FlushAndCheckStop())
            {
                return true;
            }
        }

        return false;
    }

    private bool FlushAndCheckStop()
    {
        _results.Flush();
        return round.Stop.StopRequested();
    }

    /// <summary>Completes the candidates that are not done.</summary>
    private void CompleteRest(UnreadableProcesses unreadable, bool stopped)
    {
        for (int i = 0; i < candidates.Count; i++)
        {
            if (!candidates[i].IsPending || _done[i])
            {
                continue;
            }

            Outcome outcome = stopped && _refused[i] == 0 ? Outcome.NotReached : Look(unreadable, i);
            _hasUnknown |= outcome == Outcome.OwnerUnknown;
            _results.Add(i, outcome, outcome == Outcome.Failed ? _refused[i] : outcome == Outcome.Unknown ? _watch.Errno : 0);
        }

        _results.Flush();
    }

    /// <summary>Reports the reasons for open connections that apply to the whole run.</summary>
    private void ReportProblems(UnreadableProcesses unreadable)
    {
        if (!_lastRefused.Failure.IsNone)
        {
            round.Report.Problem(_lastRefused.Failure with { Subject = $"of process {_lastRefused.Pid}" });
        }

        if (_hasUnknown)
        {
            round.Report.Problem(unreadable.Failure);
        }
    }

    /// <summary>Acts on every candidate with the socket's inode, through the descriptor of one holder.</summary>
    private void ActOn(OpenProcess process, int pid, HeldSocket socket)
    {
        if (IsDone(socket.Inode) || SkipIfStale(socket.Inode))
        {
            return; // another holder gave it, or it must no longer be closed
        }

        if (act is null)
        {
            AskHolder(process, pid, socket);
            return;
        }

        using var fetched = new FetchedSocket(process, socket);
        if (!fetched.Failure.IsNone)
        {
            if (!fetched.IsGone)
            {
                Refuse(fetched.Failure, pid, socket);
            }

            return;
        }

        Outcome? result = null;
        foreach (int i in _index.Connections(socket.Inode))
        {
            // The descriptor may refer to another socket by now: act only if the cookie is the one from the dump.
            ref Connection connection = ref candidates[i];
            bool isSame = connection.IsMptcp ? _mptcp!.IsConnection(connection.Inode, fetched.Cookie) : connection.Cookie == fetched.Cookie;
            if (!isSame || _done[i])
            {
                continue;
            }

            // All subflows of an MPTCP connection are one socket to its holder, so act only once.
            if (result is null)
            {
                Failure failure = act(process.Table, fetched.Handle, out Outcome outcome);
                if (!failure.IsNone)
                {
                    Refuse(failure, pid, socket);
                    return;
                }

                result = outcome;
            }

            _done[i] = true;
            _remaining--;
            _results.Add(i, result.Value);
        }
    }

    /// <summary>
    /// Skips the connections with this inode if a final look finds that one of them must no longer be closed: MPTCP subflows share an inode
    /// and are skipped together. Returns whether they were skipped.
    /// </summary>
    private bool SkipIfStale(uint inode)
    {
        var recheck = new Recheck(candidates, _watch);
        if (!recheck.IsDue)
        {
            return false;
        }

        var looks = new List<(int Index, Outcome? Outcome, int Errno)>();
        foreach (int i in _index.Connections(inode))
        {
            if (!_done[i])
            {
                looks.Add((i, recheck.Run(i, out int errno), errno));
            }
        }

        if (!looks.Exists(static look => look.Outcome is not null))
        {
            return false;
        }

        foreach ((int i, Outcome? outcome, int errno) in looks)
        {
            _done[i] = true;
            _remaining--;
            _results.Add(i, outcome ?? Outcome.SubflowBusy, errno);
        }

        return true;
    }

    /// <summary>Checks whether the holder lets its sockets be fetched.</summary>
    private void AskHolder(OpenProcess process, int pid, HeldSocket socket)
    {
        Failure failure = process.FetchSocket(socket.Thread, OpenProcess.NoDescriptor, out _);
        if (failure.Errno != Errno.EBADF)
        {
            if (failure.Errno != Errno.ESRCH)
            {
                Refuse(failure, pid, socket);
            }

            return;
        }

        foreach (int i in _index.Connections(socket.Inode))
        {
            if (!_done[i])
            {
                _done[i] = true;
                _results.Add(i, Outcome.Pending);
            }
        }
    }

    private bool IsDone(uint inode)
    {
        foreach (int i in _index.Connections(inode))
        {
            if (!_done[i])
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>Notes that one holder refused. This is not final: another holder may still give the socket.</summary>
    private void Refuse(Failure failure, int pid, HeldSocket socket)
    {
        _lastRefused = (failure, pid);
        foreach (int i in _index.Connections(socket.Inode))
        {
            _refused[i] = (ushort)failure.Errno;
        }
    }

    private Outcome Look(UnreadableProcesses unreadable, int i) => _watch.Look(i) switch
    {
        Presence.Gone => Outcome.Vanished,
        Presence.Unknown => Outcome.Unknown,
        Presence.There => _refused[i] != 0 ? Outcome.Failed : HolderRule.Unheld(in candidates[i], unreadable),
    };

    public void Dispose() => _watch.Dispose();
}
