using System.Diagnostics;
using TcpCloser.Diag;
using TcpCloser.Interop;
using TcpCloser.Proc;

namespace TcpCloser.Kill;

/// <summary>One pass of <see cref="ProcessKiller"/>: what is known of each candidate, and the steps that change it.</summary>
internal sealed class KillRun
{
    private readonly ConnectionList _candidates;
    private readonly InodeIndex _index;
    private readonly ConnectionWatch _watch;
    private readonly IProcessTable _table;
    private readonly IdleRule _idleRule;
    private readonly IResultSink _sink;
    private readonly HeldState[] _held;
    private readonly ushort[] _errnos;
    private readonly Outcome?[] _reasons;
    private readonly HashSet<SocketHolder> _signalled = [];
    private bool _hasSignalledPartlyKnown;
    private Operation _refusedOperation;
    private int _refusedErrno;
    private int _refusedPid;

    public KillRun(ConnectionList candidates, InodeIndex index, SocketOwners owners, ConnectionWatch watch, IProcessTable table,
        IdleRule idleRule, IResultSink sink)
    {
        (_candidates, _index, _watch, _table, _idleRule, _sink) = (candidates, index, watch, table, idleRule, sink);
        _held = new HeldState[candidates.Count];
        _errnos = new ushort[candidates.Count];
        _reasons = new Outcome?[candidates.Count];
        for (int i = 0; i < candidates.Count; i++)
        {
            _reasons[i] = OwnerRule.Reason(in candidates[i], owners.Of(candidates[i].Inode));
        }
    }

    /// <summary>The run was interrupted before that process.</summary>
    public void LeaveAlone(SocketHolder holder)
    {
        foreach (int i in ConnectionsOf(holder))
        {
            _held[i] |= HeldState.NotReached;
        }
    }

    /// <summary>Signals the process if one of its connections is still to be closed, once for all of them. Returns whether it did.</summary>
    public bool SignalHolder(SocketHolder holder, int signal)
    {
        // Before Linux 5.3 there is no pidfd; then the moment between the look and the signal stays open. Opening one takes no
        // privilege, so EPERM is the word of a container's seccomp filter that is older than the call.
        int process = _table.OpenProcess(holder.Pid);
        int errno = process is not (>= 0 or -Errno.ENOSYS or -Errno.EPERM) ? -process
            : !IsWorthSignalling(holder) ? Errno.ESRCH
            : _table.SendSignal(process, holder.Pid, signal);
        if (process >= 0)
        {
            _table.Close(process);
        }

        if (errno == 0)
        {
            _signalled.Add(holder);
            _hasSignalledPartlyKnown |= holder.IsPartlyKnown;
            foreach (int i in ConnectionsOf(holder))
            {
                _held[i] |= HeldState.Signalled;
            }

            _sink.Signalled(holder, signal);
        }
        else if (errno != Errno.ESRCH)
        {
            foreach (int i in ConnectionsOf(holder))
            {
                Refuse(i, Operation.SignalProcess, errno, holder.Pid);
            }
        }

        return errno == 0;
    }

    /// <summary>Sends SIGKILL to those signalled before that still have one of the connections. Returns whether there were any.</summary>
    public bool SignalSurvivors(List<SocketHolder> holders)
    {
        bool any = false;
        foreach (SocketHolder holder in holders)
        {
            any |= _signalled.Contains(holder) && SignalHolder(holder, Signal.SIGKILL);
        }

        return any;
    }

    /// <summary>Waits until the connections whose processes were signalled are gone. Returns false where it is time to stop instead.</summary>
    public unsafe bool AwaitGone(TimeSpan patience, Func<bool> stopRequested)
    {
        long started = Stopwatch.GetTimestamp();
        for (int i = 0; i < _candidates.Count; i++)
        {
            if (!_held[i].HasFlag(HeldState.Signalled))
            {
                continue;
            }

            while (_watch.Look(i) == Presence.There)
            {
                if (stopRequested())
                {
                    return false;
                }

                if (Stopwatch.GetElapsedTime(started) >= patience)
                {
                    return true;
                }

                _ = Poll.poll(null, 0, 1);
            }
        }

        return true;
    }

    /// <summary>Tells what became of each candidate.</summary>
    public void Complete()
    {
        var results = new ResultBatch(_sink);
        for (int i = 0; i < _candidates.Count; i++)
        {
            if (_candidates[i].Outcome == Outcome.Idle)
            {
                Outcome outcome = OutcomeOf(i);
                results.Add(i, outcome, outcome == Outcome.Failed ? _errnos[i] : outcome == Outcome.Unknown ? _watch.Errno : 0);
            }
        }

        results.Flush();
    }

    /// <summary>Tells why connections stay, where that is no matter of one connection.</summary>
    public void TellProblems(SocketOwners owners)
    {
        if (_refusedErrno != 0)
        {
            _sink.Problem(_refusedOperation, _refusedErrno, $"process {_refusedPid}");
        }

        if (owners.Unreadable.Count > 0 && Array.IndexOf(_reasons, Outcome.NoOwner) >= 0)
        {
            Tell(owners.Unreadable);
        }

        if (owners.Unjudged.Count > 0)
        {
            Tell(owners.Unjudged);
        }
    }

    private void Tell(UnreadableProcesses unreadable) => _sink.Problem(unreadable.Operation, unreadable.Errno, unreadable.Subject);

    private Outcome OutcomeOf(int i)
    {
        HeldState state = _held[i];
        bool signalled = state.HasFlag(HeldState.Signalled);
        return _watch.Look(i) switch
        {
            Presence.Unknown => signalled || !state.HasFlag(HeldState.NotReached) ? Outcome.Unknown : Outcome.NotReached,

            // A process that was signalled may have held this one, too, where not everything that it held is known.
            Presence.Gone => signalled ? Outcome.Killed : _hasSignalledPartlyKnown ? Outcome.Unknown : Outcome.Vanished,
            Presence.There => state.HasFlag(HeldState.Refused) ? Outcome.Failed
                : signalled ? Outcome.StillThere
                : _reasons[i] is { } reason ? reason
                : state.HasFlag(HeldState.Busy) ? Outcome.Busy
                : state.HasFlag(HeldState.NotReached) ? Outcome.NotReached
                : Outcome.NoOwner,
        };
    }

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

    /// <summary>
    /// Whether one of its connections may be ended by a signal to it, still exists under its cookie, is still idle, and is still held
    /// by the process.
    /// </summary>
    private bool IsWorthSignalling(SocketHolder holder)
    {
        int folder = 0;
        bool worth = false;
        foreach (HeldSocket socket in holder.Sockets)
        {
            foreach (int i in _index.Connections(socket.Inode))
            {
                if (worth || _reasons[i] is not null)
                {
                    continue;
                }

                folder = folder == 0 ? _table.OpenDescriptors(holder.Pid) : folder;
                uint inode = 0;
                int errno = folder < 0 ? -folder : DescriptorWalk.ReadSocket(_table, folder, socket.Fd, out inode);
                if (errno is not (0 or Errno.ENOENT or Errno.ESRCH))
                {
                    Refuse(i, folder < 0 ? Operation.ListDescriptors : Operation.ReadDescriptor, errno, holder.Pid);
                }

                worth = errno == 0 && inode == socket.Inode && IsStillIdle(i, holder.Pid);
            }

            if (worth)
            {
                break;
            }
        }

        if (folder > 0)
        {
            _table.Close(folder);
        }

        return worth;
    }

    private bool IsStillIdle(int i, int pid)
    {
        Presence presence = _watch.Look(i, out Connection now, out SocketFacts facts);
        if (presence != Presence.There)
        {
            if (presence == Presence.Unknown)
            {
                Refuse(i, Operation.LookUpSocket, _watch.Errno, pid);
            }

            return false;
        }

        _idleRule.Judge(ref now, in facts);
        _held[i] |= now.Outcome == Outcome.Idle ? HeldState.None : HeldState.Busy;
        return now.Outcome == Outcome.Idle;
    }

    /// <summary>The process was not signalled, and this connection is one of the reasons why.</summary>
    private void Refuse(int i, Operation operation, int errno, int pid)
    {
        (_refusedOperation, _refusedErrno, _refusedPid) = (operation, errno, pid);
        _held[i] |= HeldState.Refused;
        _errnos[i] = (ushort)errno;
    }
}
