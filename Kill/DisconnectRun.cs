using TcpCloser.Diag;
using TcpCloser.Interop;
using TcpCloser.Proc;

namespace TcpCloser.Kill;

/// <summary>One pass of <see cref="SocketDisconnector"/>: what is known of each candidate, and the steps that change it.</summary>
internal sealed class DisconnectRun(ConnectionList candidates, IResultSink sink)
{
    private readonly ResultBatch _results = new(sink);
    private readonly bool[] _done = new bool[candidates.Count];

    /// <summary>Of each candidate, the last errno that kept it from being disconnected; 0: none.</summary>
    private readonly ushort[] _refused = new ushort[candidates.Count];

    private Operation _refusedOperation;
    private int _refusedErrno;
    private int _refusedPid;
    private bool _hasUnowned;
    private int _tried;

    /// <summary>Fetches the sockets from their holders and disconnects them.</summary>
    public void Disconnect(IProcessTable table, SocketOwners owners, InodeIndex index, MptcpCookies mptcp, Func<bool> stopRequested, out bool stopped)
    {
        stopped = false;
        foreach (SocketHolder holder in owners.Holders)
        {
            int process = table.OpenProcess(holder.Pid);
            try
            {
                foreach (HeldSocket socket in holder.Sockets)
                {
                    if (++_tried % ResultBatch.Length == 0)
                    {
                        _results.Flush();
                        stopped = stopRequested();
                    }

                    if (stopped)
                    {
                        return;
                    }

                    Disconnect(table, process, holder.Pid, socket, index, mptcp);
                }
            }
            finally
            {
                if (process >= 0)
                {
                    table.Close(process);
                }
            }
        }
    }

    /// <summary>Tells what became of those that were not disconnected.</summary>
    public void CompleteRest(bool stopped)
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
    public void TellProblems(UnreadableProcesses unreadable)
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

    /// <summary>Disconnects every candidate of the inode, by the descriptor that one process has of it.</summary>
    private void Disconnect(IProcessTable table, int process, int pid, HeldSocket socket, InodeIndex index, MptcpCookies mptcp)
    {
        if (process < 0)
        {
            if (process != -Errno.ESRCH)
            {
                Refuse(Operation.OpenProcess, -process, pid, socket, index);
            }

            return;
        }

        using var fetched = new FetchedSocket(table, process, socket.Fd);
        if (fetched.Errno != 0)
        {
            if (!fetched.IsGone)
            {
                Refuse(Operation.FetchSocket, fetched.Errno, pid, socket, index);
            }

            return;
        }

        bool disconnected = false;
        foreach (int i in index.Connections(socket.Inode))
        {
            // The descriptor may be another socket by now: only the one with the dumped cookie is meant.
            ref Connection connection = ref candidates[i];
            bool isIt = connection.IsMptcp ? mptcp.IsConnection(connection.Inode, fetched.Cookie) : connection.Cookie == fetched.Cookie;
            if (!isIt || _done[i])
            {
                continue;
            }

            int errno = disconnected ? 0 : table.Disconnect(fetched.Handle);
            if (errno != 0)
            {
                Refuse(Operation.DisconnectSocket, errno, pid, socket, index);
                return;
            }

            disconnected = true;
            _done[i] = true;
            _results.Add(i, Outcome.Disconnected);
        }
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
