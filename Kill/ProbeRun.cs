using TcpCloser.Diag;
using TcpCloser.Interop;
using TcpCloser.Proc;

namespace TcpCloser.Kill;

/// <summary>One pass of <see cref="PeerProbe"/>: asks those whose turn it is, waits, and looks who has answered.</summary>
internal sealed class ProbeRun : IDisposable
{
    /// <summary>The grain of the kernel's clocks and of ours, together, in milliseconds.</summary>
    private const uint GrainMs = 10;

    private const int SleepMs = 50;

    private readonly ConnectionList _candidates;
    private readonly IProcessTable _table;
    private readonly ProbeRule _rule;
    private readonly ProbeVerdicts _verdicts;
    private readonly ConnectionWatch _watch;
    private readonly OpenProcess _process;
    private readonly ProbeBatch _batch;
    private readonly ProbedPeers _peers;
    private readonly byte[] _info = new byte[TcpInfo.Size];

    /// <param name="candidates">The connections.</param>
    /// <param name="table">Where their sockets are.</param>
    /// <param name="peers">Those to ask.</param>
    /// <param name="rule">Whether to ask, and how often.</param>
    /// <param name="verdicts">Takes what is found out.</param>
    public ProbeRun(ConnectionList candidates, IProcessTable table, ProbedPeers peers, ProbeRule rule, ProbeVerdicts verdicts)
    {
        (_candidates, _table, _peers, _rule, _verdicts) = (candidates, table, peers, rule, verdicts);
        _watch = new ConnectionWatch(candidates);
        _process = new OpenProcess(table);

        // Room is left for the log, the other sockets, and the process that is asked.
        _batch = new ProbeBatch(table, (int)Math.Clamp(ResourceLimit.OpenFiles() / 2, 1, ProbeBatch.Length));
    }

    /// <summary>Whether a peer is without a verdict.</summary>
    public bool HasUnanswered => _peers.Count > 0;

    private static long Now => Environment.TickCount64;

    /// <summary>Asks those whose turn it is, a batch after the other.</summary>
    public void Ask(Func<bool> stopRequested)
    {
        bool stopped = stopRequested();
        for (int i = 0; i < _peers.Count && !stopped; i++)
        {
            if (_peers[i].NextAt <= Now)
            {
                Ask(i);
                if (_batch.IsFull)
                {
                    FinishBatch();
                    stopped = stopRequested();
                }
            }
        }

        FinishBatch();
        _process.Dispose();
        _verdicts.Flush();
    }

    /// <summary>Sleeps until somebody is to be asked or has had its time.</summary>
    public unsafe void Wait(Func<bool> stopRequested)
    {
        long until = _peers.NextAt(_rule, Now);
        while (_peers.Count > 0 && Now < until && !stopRequested())
        {
            _ = Poll.poll(null, 0, (int)Math.Min(until - Now + 1, SleepMs));
        }
    }

    /// <summary>Looks who has answered, and who has had its time.</summary>
    public void Look()
    {
        for (int i = 0; i < _peers.Count; i++)
        {
            ref ProbedPeer peer = ref _peers[i];
            Presence presence = _watch.Look(peer.Index, out _, out SocketFacts facts);
            if (presence != Presence.There)
            {
                CompleteLost(i, presence);
            }
            else if (HasAnswered(in peer, in facts))
            {
                _verdicts.Complete(i, Outcome.Answered);
            }
            else if (ProbeRule.HasOutstanding(in facts))
            {
                _verdicts.Complete(i, Outcome.Unproved);
            }
            else if (Now >= _rule.EndOf(in peer) && _rule.Enough(in peer) is { } isEnough)
            {
                // Silent, and so still to be closed, is who was asked often enough and answered nothing.
                _verdicts.Complete(i, isEnough ? Outcome.Idle : Outcome.Unproved);
            }
        }

        _process.Dispose();
        _verdicts.Flush();
    }

    public void Dispose()
    {
        _batch.Dispose();
        _process.Dispose();
        _watch.Dispose();
    }

    private static bool HasAnswered(ref readonly ProbedPeer peer, in SocketFacts facts) =>
        facts.HasClocks && HasAnswered(in peer, facts.LastHeardMs);

    private static bool HasAnswered(ref readonly ProbedPeer peer, uint lastHeardMs) =>
        peer.FirstAskedAt != 0 && lastHeardMs <= Now - peer.FirstAskedAt + GrainMs;

    /// <summary>Fetches the socket of a peer whose turn it is, and asks where there is no verdict yet.</summary>
    private void Ask(int i)
    {
        ref ProbedPeer peer = ref _peers[i];
        if (_candidates[peer.Index].IsMptcp)
        {
            _verdicts.Complete(i, Outcome.Unproved);
            return;
        }

        int socket = _process.FetchSocket(peer.Pid, peer.Fd, out bool isOpen);
        Operation operation = isOpen ? Operation.FetchSocket : Operation.OpenProcess;
        int errno = Math.Max(-socket, 0);
        if (errno == 0)
        {
            _verdicts.HasFetched = true;
            operation = Operation.SetKeepalive;
            errno = Ask(i, socket, out bool isHeld);
            if (!isHeld)
            {
                _table.Close(socket);
            }
        }

        if (errno is Errno.EBADF or Errno.ESRCH or Errno.ENOTSOCK)
        {
            CompleteLost(i, _watch.Look(peer.Index)); // its holder has let go of it, and whoever has it now was not found
        }
        else if (errno != 0)
        {
            _verdicts.Refuse(i, operation, errno);
        }
    }

    /// <summary>Asks through a fetched socket, which the batch may hold from then on. Returns 0 or the errno.</summary>
    private int Ask(int i, int socket, out bool isHeld)
    {
        isHeld = false;
        ref ProbedPeer peer = ref _peers[i];
        int errno = _table.ReadCookie(socket, out ulong cookie);
        if (errno != 0 || cookie != _candidates[peer.Index].Cookie)
        {
            return errno != 0 ? errno : Errno.EBADF;
        }

        int length = _table.ReadTcpInfo(socket, _info);
        if (length < 0)
        {
            return -length;
        }

        var facts = new SocketFacts(_info.AsSpan(0, length));
        if (Verdict(in peer, in facts) is { } verdict)
        {
            _verdicts.Complete(i, verdict);
            return 0;
        }

        errno = KeepaliveOptions.Read(_table, socket, withInterval: false, out KeepaliveOptions own);
        if (errno != 0 || !MayAsk(i, own, in facts))
        {
            return errno;
        }

        peer.LastAskedAt = Now;
        peer.FirstAskedAt = peer.FirstAskedAt == 0 ? peer.LastAskedAt : peer.FirstAskedAt;
        peer.NextAt = peer.LastAskedAt + peer.IntervalMs;
        peer.Asked++;
        errno = _batch.TryAsk(i, socket, own, in facts);
        isHeld = errno == 0;
        return errno;
    }

    private Outcome? Verdict(ref readonly ProbedPeer peer, in SocketFacts facts)
    {
        bool isFirst = peer.FirstAskedAt == 0;
        return facts.State == TcpState.Close ? isFirst ? Outcome.Vanished : Outcome.Reset
            : isFirst ? _rule.Verdict(in facts)
            : HasAnswered(in peer, in facts) ? Outcome.Answered
            : ProbeRule.HasOutstanding(in facts) ? Outcome.Unproved
            : null;
    }

    /// <summary>Whether the application's own keepalive, as it is now, bears another probe. Otherwise the verdict is final, or the last probe was sent.</summary>
    private bool MayAsk(int i, KeepaliveOptions own, in SocketFacts facts)
    {
        ref ProbedPeer peer = ref _peers[i];
        bool isFirst = peer.FirstAskedAt == 0;
        int allowed = ProbeRule.Allowed(own, in facts);
        if (ProbeRule.AsksItself(own, in facts, isFirst ? _rule.TimeMs : 0) || (isFirst && allowed == 0))
        {
            _verdicts.Complete(i, Outcome.Unproved);
            return false;
        }

        peer.IntervalMs = isFirst ? _rule.IntervalMs(allowed) : peer.IntervalMs;
        peer.NextAt = allowed == 0 ? long.MaxValue : peer.NextAt;
        return allowed > 0;
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
                _verdicts.Complete(i, Outcome.Reset);
            }
            else if (HasAnswered(in peer, _batch.LastHeardMs(j)))
            {
                _verdicts.Complete(i, Outcome.Answered);
            }
        }

        _batch.Clear();
    }

    /// <summary>The connection is gone, or cannot be looked at, or its holder has let go of it.</summary>
    private void CompleteLost(int i, Presence presence)
    {
        bool isGone = presence == Presence.Gone;
        _verdicts.Complete(i,
            isGone ? WasReset(in _peers[i]) ? Outcome.Reset : Outcome.Vanished
                : presence == Presence.Unknown ? Outcome.Failed
                : Outcome.Unproved,
            presence == Presence.Unknown ? _watch.Errno : 0);
    }

    /// <summary>Whether the connection that is gone was reset: then the socket is still there, closed.</summary>
    private bool WasReset(ref readonly ProbedPeer peer)
    {
        int socket = peer.FirstAskedAt == 0 ? -1 : _process.FetchSocket(peer.Pid, peer.Fd, out _);
        if (socket < 0)
        {
            return false;
        }

        bool isClosed = _table.ReadCookie(socket, out ulong cookie) == 0 && cookie == _candidates[peer.Index].Cookie
            && _table.ReadTcpInfo(socket, _info) > 0 && _info[TcpInfo.State] == TcpState.Close;
        _table.Close(socket);
        return isClosed;
    }
}
