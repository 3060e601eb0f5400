using TcpCloser.Diag;
using TcpCloser.Interop;
using TcpCloser.Proc;

namespace TcpCloser.Kill;

/// <summary>One pass of <see cref="PeerProbe"/>: whom to ask, when, and who has answered.</summary>
internal sealed class ProbeRun : IDisposable
{
    /// <summary>The grain of the kernel's clocks and of ours, together, in milliseconds.</summary>
    private const uint GrainMs = 10;

    private const int SleepMs = 50;

    private readonly ConnectionList _candidates;
    private readonly IProcessTable _table;
    private readonly ProbeRule _rule;
    private readonly IResultSink _sink;
    private readonly ResultBatch _results;
    private readonly ConnectionWatch _watch;
    private readonly ProbeBatch _batch;
    private ProbedPeer[] _peers = [];
    private int _count;
    private int _process = -1;
    private int _processPid;
    private Operation _refusedOperation;
    private int _refusedErrno;
    private int _refusedPid;
    private bool _hasUnfound;

    public ProbeRun(ConnectionList candidates, IProcessTable table, ProbeRule rule, IResultSink sink)
    {
        (_candidates, _table, _rule, _sink) = (candidates, table, rule, sink);
        _results = new ResultBatch(sink);
        _watch = new ConnectionWatch(candidates);

        // Room is left for the log, the other sockets, and the process that is asked.
        _batch = new ProbeBatch(table, (int)Math.Clamp(ResourceLimit.OpenFiles() / 2, 1, ResultBatch.Length));
    }

    /// <summary>Whether anybody is still to be heard from.</summary>
    public bool HasUnanswered => _count > 0;

    private static long Now => Environment.TickCount64;

    /// <summary>Lines those up who have an owner, those of one process one after the other.</summary>
    public void Begin(SocketOwners owners, InodeIndex index)
    {
        _peers = new ProbedPeer[_candidates.Count];
        var found = new bool[_candidates.Count];
        foreach (SocketHolder holder in owners.Holders)
        {
            foreach (HeldSocket socket in holder.Sockets)
            {
                foreach (int i in index.Connections(socket.Inode))
                {
                    if (!found[i])
                    {
                        found[i] = true;
                        _peers[_count++] = new ProbedPeer { Index = i, Pid = holder.Pid, Fd = socket.Fd, NextAt = Now };
                    }
                }
            }
        }

        for (int i = 0; i < _candidates.Count; i++)
        {
            if (!found[i])
            {
                // Who holds it may be among those that could not be looked into.
                bool isUnfound = _candidates[i].Inode != 0 && owners.Unreadable.Count > 0;
                _hasUnfound |= isUnfound;
                _results.Add(i, isUnfound ? Outcome.Failed : Outcome.Unproved, isUnfound ? owners.Unreadable.Errno : 0);
            }
        }

        _results.Flush();
    }

    /// <summary>Asks those whose turn it is, a batch after the other.</summary>
    public void Ask(Func<bool> stopRequested)
    {
        for (int i = 0; i < _count && !stopRequested(); i++)
        {
            if (_peers[i].NextAt <= Now && (_peers[i].Allowed == 0 || _peers[i].Sent < _peers[i].Allowed))
            {
                Ask(i);
                if (_batch.IsFull)
                {
                    FinishBatch();
                }
            }
        }

        FinishBatch();
        CloseProcess();
        Compact();
        _results.Flush();
    }

    /// <summary>Sleeps until somebody is to be asked or has had its time.</summary>
    public unsafe void Wait(Func<bool> stopRequested)
    {
        long until = long.MaxValue;
        for (int i = 0; i < _count; i++)
        {
            ref ProbedPeer peer = ref _peers[i];
            long next = peer.Allowed == 0 || peer.Sent < peer.Allowed ? peer.NextAt : long.MaxValue;
            until = Math.Min(until, Math.Min(next, EndOf(in peer)));
        }

        while (_count > 0 && Now < until && !stopRequested())
        {
            _ = Poll.poll(null, 0, (int)Math.Min(until - Now + 1, SleepMs));
        }
    }

    /// <summary>Looks who has answered, and who has had its time.</summary>
    public void Look()
    {
        for (int i = 0; i < _count; i++)
        {
            ref ProbedPeer peer = ref _peers[i];
            Presence presence = _watch.Look(peer.Index, out _, out SocketFacts facts);
            if (presence == Presence.Gone)
            {
                Complete(i, WasReset(in peer) ? Outcome.Reset : Outcome.Vanished);
            }
            else if (presence == Presence.Unknown)
            {
                Complete(i, Outcome.Failed, _watch.Errno);
            }
            else if (HasAnswered(in peer, in facts))
            {
                Complete(i, Outcome.Answered);
            }
            else if (Now >= EndOf(in peer))
            {
                // Silent, and so still to be closed, is who was asked and answered nothing.
                bool isSilent = peer.Sent > 0 && !ProbeRule.HasOutstanding(in facts);
                Complete(i, isSilent ? Outcome.Idle : Outcome.Unproved);
            }
        }

        CloseProcess();
        Compact();
        _results.Flush();
    }

    /// <summary>Tells why peers could not be asked, where that is no matter of one connection.</summary>
    public void TellProblems(UnreadableProcesses unreadable)
    {
        if (_refusedErrno != 0)
        {
            _sink.Problem(_refusedOperation, _refusedErrno, $"of process {_refusedPid}");
        }

        if (_hasUnfound)
        {
            _sink.Problem(unreadable.Operation, unreadable.Errno, unreadable.Subject);
        }
    }

    public void Dispose()
    {
        _batch.Dispose();
        CloseProcess();
        _watch.Dispose();
    }

    private long EndOf(ref readonly ProbedPeer peer) => (peer.FirstAskedAt == 0 ? peer.NextAt : peer.FirstAskedAt) + _rule.TimeMs;

    private static bool HasAnswered(ref readonly ProbedPeer peer, in SocketFacts facts) =>
        facts.HasClocks && HasAnswered(in peer, facts.LastHeardMs);

    private static bool HasAnswered(ref readonly ProbedPeer peer, uint lastHeardMs) =>
        peer.FirstAskedAt != 0 && lastHeardMs <= Now - peer.FirstAskedAt + GrainMs;

    /// <summary>Looks at a connection whose turn it is, and asks where there is no verdict yet.</summary>
    private void Ask(int i)
    {
        ref ProbedPeer peer = ref _peers[i];
        Presence presence = _watch.Look(peer.Index, out Connection now, out SocketFacts facts);
        if (presence == Presence.Unknown)
        {
            Complete(i, Outcome.Failed, _watch.Errno);
        }
        else if (presence == Presence.Gone)
        {
            Complete(i, WasReset(in peer) ? Outcome.Reset : Outcome.Vanished);
        }
        else if (HasAnswered(in peer, in facts))
        {
            Complete(i, Outcome.Answered);
        }
        else if (peer.FirstAskedAt == 0 && Verdict(peer.Index, in now, in facts) is { } verdict)
        {
            Complete(i, verdict);
        }
        else if (ProbeRule.HasOutstanding(in facts))
        {
            Complete(i, Outcome.Unproved);
        }
        else
        {
            Ask(i, in facts);
        }
    }

    private Outcome? Verdict(int index, ref readonly Connection now, in SocketFacts facts) =>
        _candidates[index].IsMptcp ? Outcome.Unproved : _rule.Verdict(in now, in facts);

    private void Ask(int i, in SocketFacts facts)
    {
        ref ProbedPeer peer = ref _peers[i];
        int errno = OpenProcess(peer.Pid);
        Operation operation = Operation.OpenProcess;
        if (errno == 0)
        {
            int socket = _table.FetchSocket(_process, peer.Fd);
            (operation, errno) = socket < 0 ? (Operation.FetchSocket, -socket) : Ask(i, socket, in facts);
        }

        if (errno is Errno.EBADF or Errno.ESRCH or Errno.ENOTSOCK)
        {
            Complete(i, Outcome.Unproved); // its holder has let go of it, and whoever has it now was not found
        }
        else if (errno != 0)
        {
            (_refusedOperation, _refusedErrno, _refusedPid) = (operation, errno, peer.Pid);
            Complete(i, Outcome.Failed, errno);
        }
    }

    /// <summary>Asks through a fetched socket, which the batch holds from then on, or which is let go at once.</summary>
    private (Operation Operation, int Errno) Ask(int i, int socket, in SocketFacts facts)
    {
        ref ProbedPeer peer = ref _peers[i];
        int errno = _table.ReadCookie(socket, out ulong cookie);
        KeepaliveOptions own = default;
        errno = errno != 0 ? errno : cookie == _candidates[peer.Index].Cookie ? KeepaliveOptions.Read(_table, socket, out own) : Errno.EBADF;
        if (errno == 0 && MayAsk(ref peer, own, in facts))
        {
            peer.FirstAskedAt = peer.FirstAskedAt == 0 ? Now : peer.FirstAskedAt;
            peer.NextAt = Now + _rule.IntervalMs(peer.Allowed);
            errno = _batch.TryAsk(i, socket, own, in facts);
            if (errno == 0)
            {
                return (default, 0);
            }
        }
        else if (errno == 0)
        {
            Complete(i, Outcome.Unproved);
        }

        _table.Close(socket);
        return (Operation.SetKeepalive, errno);
    }

    private bool MayAsk(ref ProbedPeer peer, KeepaliveOptions own, in SocketFacts facts)
    {
        peer.Allowed = peer.Allowed == 0 ? _rule.Allowed(own, in facts) : peer.Allowed;
        return peer.Allowed > 0;
    }

    private void FinishBatch()
    {
        _batch.AwaitSent();
        for (int j = 0; j < _batch.Count; j++)
        {
            int i = _batch.PeerAt(j);
            ref ProbedPeer peer = ref _peers[i];
            peer.Sent += _batch.WasSent(j) ? 1 : 0;
            if (_batch.HasEnded(j))
            {
                Complete(i, Outcome.Reset);
            }
            else if (HasAnswered(in peer, _batch.LastHeardMs(j)))
            {
                Complete(i, Outcome.Answered);
            }
        }

        _batch.Clear();
    }

    /// <summary>Whether the connection that is gone was reset: then the socket is still there, closed.</summary>
    private bool WasReset(ref readonly ProbedPeer peer)
    {
        if (peer.FirstAskedAt == 0 || OpenProcess(peer.Pid) != 0)
        {
            return false;
        }

        using var fetched = new FetchedSocket(_table, _process, peer.Fd);
        Span<byte> info = stackalloc byte[TcpInfo.Size];
        return fetched.Errno == 0 && fetched.Cookie == _candidates[peer.Index].Cookie
            && _table.ReadTcpInfo(fetched.Handle, info) > 0 && info[TcpInfo.State] == TcpState.Close;
    }

    /// <summary>Opens the process, where it is not the one that is open. Returns 0 or the errno.</summary>
    private int OpenProcess(int pid)
    {
        if (_process < 0 || _processPid != pid)
        {
            CloseProcess();
            _process = _table.OpenProcess(pid);
            _processPid = pid;
        }

        return _process < 0 ? -_process : 0;
    }

    private void CloseProcess()
    {
        if (_process >= 0)
        {
            _table.Close(_process);
        }

        _process = -1;
    }

    /// <summary>The peer's verdict is final; one that stays to be closed is told by nobody here.</summary>
    private void Complete(int i, Outcome outcome, int errno = 0)
    {
        if (outcome != Outcome.Idle)
        {
            _results.Add(_peers[i].Index, outcome, errno);
        }

        _peers[i].Index = -1;
    }

    private void Compact()
    {
        int kept = 0;
        for (int i = 0; i < _count; i++)
        {
            if (_peers[i].Index >= 0)
            {
                _peers[kept++] = _peers[i];
            }
        }

        _count = kept;
    }
}
