using TcpCloser.Diag;
using TcpCloser.Interop;
using TcpCloser.Proc;
using TcpCloser.Rules;

namespace TcpCloser.Kill;

/// <summary>One probing pass over all peers: finds their sockets, probes those that are due, waits, and checks for answers.</summary>
internal sealed partial class ProbeRun(ConnectionList candidates, ProbedPeers peers, IProcessTable table, RoundContext round)
    : IDisposable
{
    private const int SleepMs = 50;

    /// <summary>How many peers to handle, in about half a millisecond, before passing on results and checking for a stop request.</summary>
    private const int BatchLength = 64;

    /// <summary>When to check for answers, in milliseconds after the last probe.</summary>
    private static readonly int[] s_lookAfterMs = [10, 100, 300];

    private readonly ProbeSchedule _schedule = new(round.Rule.Probe);
    private readonly ResultBatch _results = new(round.Report);
    private readonly ConnectionWatch _watch = new(candidates);
    private readonly OpenProcess _process = new(table);
    private readonly ProbeTurn _turn = new(candidates.Clock);
    private readonly byte[] _info = new byte[TcpInfo.Size];
    private long _lastAskedAt;
    private int _looks = s_lookAfterMs.Length;
    private int _asked;
    private int _answered;

    private long Now => candidates.Clock.NowMs;

    /// <summary>When to check for answers next.</summary>
    private long NextLookAt => _looks < s_lookAfterMs.Length ? _lastAskedAt + s_lookAfterMs[_looks] : long.MaxValue;

    /// <summary>
    /// Runs until every peer has a verdict or a stop is requested. After a stop, peers without a verdict remain candidates.
    /// </summary>
    /// <exception cref="SystemCallException">The processes could not be listed.</exception>
    public void Run()
    {
        while (peers.Count > 0 && !round.Stop.StopRequested())
        {
            FindHolders();
            using (new IgnoredSignal(Signal.SIGTSTP))
            {
                ForEach(AskIfDue);
            }

            Wait();
            bool isLook = Now >= NextLookAt;
            _looks += isLook ? 1 : 0;
            ForEach(i => LookIfDue(i, isLook));
        }
    }

    public void Dispose()
    {
        _turn.Dispose();
        _process.Dispose();
        _watch.Dispose();
    }

    private void ForEach(Action<int> step)
    {
        for (int i = 0; i < peers.Count; i++)
        {
            step(i);
            if (i % BatchLength == BatchLength - 1)
            {
                _turn.Release();
                _results.Flush();
                round.Report.Progress(Describe);
                if (round.Stop.StopRequested())
                {
                    break;
                }
            }
        }

        _turn.Release();
        _process.Dispose();
        _results.Flush();
        peers.Compact();
    }

    /// <summary>Sleeps until the next probe or check is due.</summary>
    private void Wait()
    {
        long until = NextLookAt;
        for (int i = 0; i < peers.Count; i++)
        {
            until = Math.Min(until, Math.Min(_schedule.NextQuestionAt(in peers[i]), _schedule.EndOf(in peers[i])));
        }

        while (peers.Count > 0 && Now < until && !round.Stop.StopRequested())
        {
            round.Report.Progress(Describe);

            // Clamped after the subtraction: the clock advances between the two readings, and a negative time would mean forever.
            candidates.Clock.Sleep((int)Math.Clamp(until - Now, 1, SleepMs));
        }
    }

    private string Describe()
    {
        long left = 0;
        for (int i = 0; i < peers.Count; i++)
        {
            left = Math.Max(left, peers[i].Asked == 0 ? _schedule.TimeMs : peers[i].FirstAskedAt + _schedule.TimeMs - Now);
        }

        return $"probing: {_asked} probed, {_answered} answered, {_asked - _answered} silent so far, {(left + 999) / 1_000} s left";
    }

    private void AskIfDue(int i)
    {
        ref ProbedPeer peer = ref peers[i];
        if (_schedule.NextQuestionAt(in peer) > Now)
        {
            return;
        }

        if (!_turn.Take(candidates.NamespaceOf(peer.Index).File, round.Stop))
        {
            return;
        }

        Failure failure = _process.FetchSocket(peer.Thread, peer.Fd, out int socket);
        if (failure.IsNone)
        {
            failure = Ask(i, socket);
            table.Close(socket);
        }

        if (!failure.IsNone)
        {
            Refuse(i, failure);
        }
    }

    /// <summary>Probes through a fetched socket, unless its facts already give a verdict.</summary>
    private Failure Ask(int i, int socket)
    {
        ref ProbedPeer peer = ref peers[i];
        int errno = table.ReadCookie(socket, out ulong cookie);
        if (errno != 0 || cookie != candidates[peer.Index].Cookie)
        {
            return new Failure(Operation.FetchSocket, errno != 0 ? errno : Errno.EBADF); // the descriptor refers to another socket by now
        }

        errno = table.ReadTcpInfo(socket, _info, out int length);
        if (errno != 0)
        {
            return new Failure(Operation.FetchSocket, errno);
        }

        var facts = new SocketFacts(_info.AsSpan(0, length));
        if (!facts.HasClocks)
        {
            return new Failure(Operation.FetchSocket, Errno.EBADMSG);
        }

        if (Verdict(in peer, in facts) is { } verdict)
        {
            Complete(i, verdict);
            return default;
        }

        errno = PeerQuestion.ReadRepair(table, socket, out bool isInRepair);
        if (errno == 0 && isInRepair)
        {
            Complete(i, Outcome.UnprovedRepair);
            return default;
        }

        errno = errno != 0 ? errno : PeerQuestion.Ask(table, socket);
        if (errno == 0)
        {
            peer.LastAskedAt = Now;
            _lastAskedAt = peer.LastAskedAt;
            if (peer.Asked++ == 0)
            {
                (peer.FirstAskedAt, peer.SegmentsIn, peer.BytesReceived) = (peer.LastAskedAt, facts.SegmentsIn, facts.BytesReceived);
                _looks = 0;
                _asked++;
            }
            else
            {
                // One check is enough: most of the remaining peers are silent.
                _looks = Math.Min(_looks, s_lookAfterMs.Length - 1);
            }
        }

        return Failure.If(Operation.ProbePeer, errno);
    }

    private Outcome? Verdict(ref readonly ProbedPeer peer, in SocketFacts facts) => ProbeVerdict.Of(in peer, in facts, _schedule.TimeMs, Now);

    private void LookIfDue(int i, bool isLook)
    {
        ref ProbedPeer peer = ref peers[i];
        bool isOver = _schedule.EndOf(in peer) <= Now;
        if (!isOver && !(isLook && peer.Asked > 0))
        {
            return;
        }

        switch (_watch.Look(peer.Index, out Connection now, out SocketFacts facts))
        {
            case Presence.Gone:
                Complete(i, HasReset(in peer) ? Outcome.Reset : Outcome.Vanished);
                break;
            case Presence.Unknown:
                CompleteUnasked(i, new Failure(Operation.LookUpSocket, _watch.Errno));
                break;
            case Presence.There when !facts.HasClocks:
                CompleteUnasked(i, new Failure(Operation.LookUpSocket, Errno.EBADMSG));
                break;
            case Presence.There when Verdict(in peer, in facts) is { } verdict:
                Complete(i, verdict);
                break;
            case Presence.There when isOver:
                candidates.CallSilent(peer.Index, facts.SegmentsIn);
                candidates.JudgeAgain(peer.Index, ref now, in facts);
                Complete(i, now.Outcome == Outcome.Pending ? null : now.Outcome);
                break;
            case Presence.There:
                break;
        }
    }

    /// <summary>
    /// Whether a connection that is gone was reset. Its holder may still have the closed socket open, which shows the reset.
    /// </summary>
    private bool HasReset(ref readonly ProbedPeer peer)
    {
        if (!_process.FetchSocket(peer.Thread, peer.Fd, out int socket).IsNone)
        {
            return false;
        }

        bool isSame = table.ReadCookie(socket, out ulong cookie) == 0 && cookie == candidates[peer.Index].Cookie;
        int length = 0;
        isSame = isSame && table.ReadTcpInfo(socket, _info, out length) == 0;
        table.Close(socket);
        var facts = new SocketFacts(_info.AsSpan(0, length));
        return isSame && length > 0 && facts.State == TcpState.Close && ProbeVerdict.WasReset(in peer, in facts, Now);
    }

    private void CompleteUnasked(int i, Failure failure)
    {
        peers.Unasked.AddRefused(failure);
        Complete(i, Outcome.Unasked, failure.Errno);
    }

    /// <summary>Sets the final verdict on a peer; null: it is silent, and its connection remains a candidate.</summary>
    private void Complete(int i, Outcome? verdict, int errno = 0)
    {
        if (verdict is { } outcome)
        {
            _answered += outcome == Outcome.Answered && peers[i].Asked > 0 ? 1 : 0;
            _results.Add(peers[i].Index, outcome, errno);
        }

        peers[i].Index = -1;
    }
}
