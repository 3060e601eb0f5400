using TcpCloser.Diag;
using TcpCloser.Interop;
using TcpCloser.Proc;

namespace TcpCloser.Kill;

/// <summary>
/// Fetches the sockets of candidates from the processes that hold them, and does something with each: what is known of each
/// candidate, and the steps that change it.
/// </summary>
/// <param name="candidates">The connections.</param>
/// <param name="sink">Takes the results.</param>
/// <param name="act">What is done with a fetched socket.</param>
internal sealed class FetchRun(ConnectionList candidates, IResultSink sink, SocketAction act)
{
    private readonly ResultBatch _results = new(sink);
    private readonly bool[] _done = new bool[candidates.Count];

    /// <summary>Of each candidate, the last errno that kept anything from being done with it; 0: none.</summary>
    private readonly ushort[] _refused = new ushort[candidates.Count];

    private Operation _refusedOperation;
    private int _refusedErrno;
    private int _refusedPid;
    private bool _hasUnowned;
    private int _tried;
    private int _left;

    /// <summary>
    /// One pass over all of it: finds a holder of each socket, fetches the socket, acts, and tells what became of every candidate that
    /// is still to be closed. One holder that gives it is enough, so it ends where there is nothing left to be found.
    /// </summary>
    /// <exception cref="SystemCallException">The holders could not be looked for; nothing was done.</exception>
    public void Run(SocketDump dump, Func<IProcessTable> openProcesses, SearchOrder order, Func<bool> stopRequested)
    {
        if (stopRequested())
        {
            CompleteRest(stopped: true);
            return;
        }

        using IProcessTable table = openProcesses();
        var index = new InodeIndex(candidates);
        MptcpCookies mptcp = MptcpCookies.Find(dump, candidates);
        using var search = new HolderSearch(table, order.Processes(table, index.Uids), index.Contains, index.Count);
        sink.Found(search.Owners);
        bool stopped = false;
        try
        {
            stopped = ActOnAll(table, search, index, mptcp, stopRequested);
        }
        finally
        {
            order.Remember(search.Owners.Holders);
            CompleteRest(stopped);
            TellProblems(search.Owners.Unreadable);
        }
    }

    /// <summary>Returns whether it was stopped.</summary>
    private bool ActOnAll(IProcessTable table, HolderSearch search, InodeIndex index, MptcpCookies mptcp, Func<bool> stopRequested)
    {
        using var process = new OpenProcess(table);
        for (_left = index.Count; _left > 0 && search.Next();)
        {
            foreach (HeldSocket socket in search.Holder.Sockets)
            {
                ActOn(table, process, search.Holder.Pid, socket, index, mptcp);
                if (++_tried % ResultBatch.Length == 0 && TellAndAsk(stopRequested))
                {
                    return true;
                }
            }

            // The way to the next holder may be long: what was done is told before.
            if (TellAndAsk(stopRequested))
            {
                return true;
            }
        }

        return false;
    }

    private bool TellAndAsk(Func<bool> stopRequested)
    {
        _results.Flush();
        return stopRequested();
    }

    /// <summary>Tells what became of those on which nothing was done.</summary>
    private void CompleteRest(bool stopped)
    {
        using var watch = new ConnectionWatch(candidates);
        for (int i = 0; i < candidates.Count; i++)
        {
            if (candidates[i].Outcome != Outcome.Idle || _done[i])
            {
                continue;
            }

            Outcome outcome = stopped && _refused[i] == 0 ? Outcome.NotReached : Look(watch, i);
            _hasUnowned |= outcome == Outcome.NoOwner && candidates[i].Inode != 0;
            _results.Add(i, outcome, outcome == Outcome.Failed ? _refused[i] : outcome == Outcome.Unknown ? watch.Errno : 0);
        }

        _results.Flush();
    }

    /// <summary>Tells why connections stay, where that is no matter of one connection.</summary>
    private void TellProblems(UnreadableProcesses unreadable)
    {
        if (_refusedErrno != 0)
        {
            sink.Problem(_refusedOperation, _refusedErrno, $"of process {_refusedPid}");
        }

        if (_hasUnowned && unreadable.Count > 0)
        {
            sink.Problem(unreadable.Operation, unreadable.Errno, unreadable.Subject);
        }
    }

    /// <summary>Acts on every candidate of the inode, by the descriptor that one process has of it.</summary>
    private void ActOn(IProcessTable table, OpenProcess process, int pid, HeldSocket socket, InodeIndex index, MptcpCookies mptcp)
    {
        if (IsDone(socket.Inode, index))
        {
            return; // another holder gave it
        }

        using var fetched = new FetchedSocket(table, process, pid, socket.Fd);
        if (fetched.Errno != 0)
        {
            if (!fetched.IsGone)
            {
                Refuse(fetched.Operation, fetched.Errno, pid, socket, index);
            }

            return;
        }

        ActionResult? result = null;
        foreach (int i in index.Connections(socket.Inode))
        {
            // The descriptor may be another socket by now: only the one with the dumped cookie is meant.
            ref Connection connection = ref candidates[i];
            bool isIt = connection.IsMptcp ? mptcp.IsConnection(connection.Inode, fetched.Cookie) : connection.Cookie == fetched.Cookie;
            if (!isIt || _done[i])
            {
                continue;
            }

            // The subflows of an MPTCP connection are one socket to its owner.
            result ??= act(table, fetched.Handle);
            if (result.Value.Errno != 0)
            {
                Refuse(result.Value.Operation, result.Value.Errno, pid, socket, index);
                return;
            }

            _done[i] = true;
            _left--;
            _results.Add(i, result.Value.Outcome);
        }
    }

    private bool IsDone(uint inode, InodeIndex index)
    {
        foreach (int i in index.Connections(inode))
        {
            if (!_done[i])
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>One holder refused. Another may still give the socket, so this is not final.</summary>
    private void Refuse(Operation operation, int errno, int pid, HeldSocket socket, InodeIndex index)
    {
        (_refusedOperation, _refusedErrno, _refusedPid) = (operation, errno, pid);
        foreach (int i in index.Connections(socket.Inode))
        {
            _refused[i] = (ushort)errno;
        }
    }

    private Outcome Look(ConnectionWatch watch, int i) => watch.Look(i) switch
    {
        Presence.Gone => Outcome.Vanished,
        Presence.Unknown => Outcome.Unknown,
        Presence.There => _refused[i] != 0 ? Outcome.Failed : Outcome.NoOwner,
    };
}
