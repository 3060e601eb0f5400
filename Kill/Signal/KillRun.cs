using TcpCloser.Diag;
using TcpCloser.Interop;
using TcpCloser.Proc;
using TcpCloser.Rules;

namespace TcpCloser.Kill;

/// <summary>One pass of <see cref="ProcessKiller"/>: the state of each candidate, and the steps that change it.</summary>
internal sealed partial class KillRun : IDisposable
{
    private readonly ConnectionList _candidates;
    private readonly InodeIndex _index;
    private readonly SocketHolders _holders;

    /// <summary>The processes that could not be inspected by the latest search.</summary>
    private UnreadableProcesses _unreadable;
    private readonly ConnectionWatch _watch;
    private readonly IProcessTable _table;
    private readonly Recheck _recheck;
    private readonly RoundContext _round;
    private readonly HeldState[] _held;
    private readonly ushort[] _errnos;
    private readonly Outcome?[] _reasons;
    private readonly Outcome[] _busy;

    /// <summary>
    /// The inodes of the connections that are still open after the grace period, for SIGKILL; null: this is the first signal, for all
    /// connections.
    /// </summary>
    private HashSet<uint>? _survivors;
    private bool _hasSignalledPartlyKnown;
    private bool _isInterrupted;

    /// <summary>The MPTCP connections that are open, listed once for all candidates; null: list them again.</summary>
    private MptcpCookies? _mptcp;

    /// <summary>The last refusal, and the process that it was about.</summary>
    private (Failure Failure, int Pid) _refused;

    /// <param name="known">The known holders; null: search for them now.</param>
    /// <exception cref="SystemCallException">The processes could not be listed.</exception>
    public KillRun(ConnectionList candidates, IProcessTable table, RoundContext round, SocketHolders? known)
    {
        (_candidates, _table, _round) = (candidates, table, round);
        _index = new InodeIndex(candidates);
        _holders = known ?? SocketHolders.All(table, _index.Contains, _index.Count);
        _unreadable = _holders.Unreadable;
        round.Holders.Take(_holders, Known.All);
        _watch = new ConnectionWatch(candidates);
        _recheck = new Recheck(candidates, _watch);
        _held = new HeldState[candidates.Count];
        _errnos = new ushort[candidates.Count];
        _reasons = new Outcome?[candidates.Count];
        _busy = new Outcome[candidates.Count];
        var rule = new HolderRule(_holders, table.OverflowUid);
        for (int i = 0; i < candidates.Count; i++)
        {
            _reasons[i] = rule.Reason(in candidates[i]);
        }
    }

    /// <summary>The processes that hold candidates.</summary>
    public List<SocketHolder> Holders => _holders.Holders;

    /// <summary>The processes that may be signalled, before the final look at each of them.</summary>
    public IEnumerable<SocketHolder> ToBeSignalled()
    {
        foreach (SocketHolder holder in _holders.Holders)
        {
            if (MayEndAnyConnection(holder))
            {
                yield return holder;
            }
        }
    }

    /// <summary>Reports what the signals would achieve: signal 0 checks whether they may be sent.</summary>
    public void Preview()
    {
        const int NoHandle = -1;
        const int NoSignal = 0;
        foreach (SocketHolder holder in ToBeSignalled())
        {
            int errno = _table.SendSignal(NoHandle, holder.Pid, NoSignal);
            if (errno is not (0 or Errno.ESRCH))
            {
                RefuseAll(holder, new Failure(Operation.SignalProcess, errno));
            }
        }

        var results = new ResultBatch(_round.Report, Method.Kill);
        for (int i = 0; i < _candidates.Count; i++)
        {
            bool isRefused = _held[i].HasFlag(HeldState.Refused);
            results.Add(i, isRefused ? Outcome.Failed : _reasons[i] ?? Outcome.Pending, _errnos[i]);
        }

        results.Flush();
    }

    /// <summary>Notes that the run was interrupted before it reached this process.</summary>
    public void Skip(SocketHolder holder)
    {
        foreach (int i in ConnectionsOf(holder))
        {
            _held[i] |= HeldState.NotReached;
        }
    }

    /// <summary>
    /// Sends the process one signal for all of its connections, if at least one is still to be closed. Returns whether the signal was sent.
    /// </summary>
    public bool SignalHolder(SocketHolder holder, int signal)
    {
        // Linux before 5.3 has no pidfd, so the pid may be reused between the look and the signal. Opening a pidfd needs no privilege, so
        // EPERM comes from a container's seccomp filter that is older than the call.
        int errno = _table.OpenProcess(holder.Pid, out int process);
        errno = errno is not (0 or Errno.ENOSYS or Errno.EPERM) ? errno
            : !IsWorthSignalling(holder) ? Errno.ESRCH
            : _table.SendSignal(process, holder.Pid, signal);
        if (process >= 0)
        {
            _table.Close(process);
        }

        if (errno == 0)
        {
            _hasSignalledPartlyKnown |= holder.IsPartlyKnown;
            foreach (int i in ConnectionsOf(holder))
            {
                _held[i] |= HeldState.Signalled;
            }

            _round.Report.Signalled(holder, signal);
        }
        else if (errno != Errno.ESRCH)
        {
            RefuseAll(holder, new Failure(Operation.SignalProcess, errno));
        }

        return errno == 0;
    }

    /// <summary>
    /// Sends SIGKILL to every process that still holds a connection whose holders got the first signal, and that may be signalled for it.
    /// Searches for the holders again, because a process may have forked on the first signal. Returns whether there is anything to wait
    /// for.
    /// </summary>
    /// <exception cref="SystemCallException">The processes could not be listed.</exception>
    public bool SignalSurvivors()
    {
        _survivors = [];
        _mptcp = null;
        for (int i = 0; i < _candidates.Count; i++)
        {
            // A process that could not be signalled keeps the connection open, whatever becomes of the other holders.
            bool isMeant = _held[i].HasFlag(HeldState.Signalled) && !_held[i].HasFlag(HeldState.Refused);
            if (isMeant && LookAtSignalled(i) == Presence.There)
            {
                _survivors.Add(_candidates[i].Inode);
            }
        }

        if (_survivors.Count == 0)
        {
            return false;
        }

        var found = SocketHolders.All(_table, _index.Contains, _index.Count);
        _unreadable = found.Unreadable.Count > 0 ? found.Unreadable : _unreadable;
        var rule = new HolderRule(found, _table.OverflowUid);
        foreach (uint inode in _survivors)
        {
            foreach (int i in _index.Connections(inode))
            {
                _reasons[i] = rule.Reason(in _candidates[i]);
            }
        }

        bool any = false;
        foreach (SocketHolder holder in found.Holders)
        {
            _isInterrupted = _isInterrupted || _round.Stop.StopRequested();
            any |= !_isInterrupted && SignalHolder(holder, Signal.SIGKILL);
        }

        return any && !_isInterrupted;
    }

    public void Dispose() => _watch.Dispose();

    private IEnumerable<int> ConnectionsOf(SocketHolder holder)
    {
        foreach (HeldSocket socket in holder.Sockets)
        {
            foreach (int i in _index.Connections(socket.Inode))
            {
                yield return i;
            }
        }
    }

    private void RefuseAll(SocketHolder holder, Failure failure)
    {
        foreach (int i in ConnectionsOf(holder))
        {
            Refuse(i, failure, holder.Pid);
        }
    }

    /// <summary>Notes that a holder of the connection could not be signalled or inspected.</summary>
    private void Refuse(int i, Failure failure, int pid)
    {
        _refused = (failure, pid);
        _held[i] |= HeldState.Refused;
        _errnos[i] = (ushort)failure.Errno;
    }
}

/// <summary>What happened to a candidate while its holders were signalled.</summary>
[Flags]
internal enum HeldState : byte
{
    None = 0,

    /// <summary>A holder was signalled.</summary>
    Signalled = 1,

    /// <summary>A signal was refused, or the final look before it failed.</summary>
    Refused = 2,

    /// <summary>The final look found that it must no longer be closed, for example because it was busy.</summary>
    Busy = 4,

    /// <summary>The run was interrupted before it reached a holder.</summary>
    NotReached = 8,
}
