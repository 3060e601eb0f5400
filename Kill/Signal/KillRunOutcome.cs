using System.Diagnostics;
using TcpCloser.Diag;
using TcpCloser.Interop;
using TcpCloser.Rules;

namespace TcpCloser.Kill;

/// <content>What becomes of the candidates after the signals.</content>
internal sealed partial class KillRun
{
    /// <summary>Waits until the connections whose processes were signalled are gone. Returns false if a stop was requested.</summary>
    public unsafe bool AwaitGone(TimeSpan patience)
    {
        long started = Stopwatch.GetTimestamp();
        _mptcp = null;
        for (int i = 0; i < _candidates.Count; i++)
        {
            if (!_held[i].HasFlag(HeldState.Signalled))
            {
                continue;
            }

            while (LookAtSignalled(i) == Presence.There)
            {
                if (_round.Stop.StopRequested())
                {
                    _isInterrupted = true;
                    return false;
                }

                if (Stopwatch.GetElapsedTime(started) >= patience)
                {
                    return true;
                }

                _round.Report.Progress(() => $"waiting for signalled processes to end, {(long)Math.Max((patience - Stopwatch.GetElapsedTime(started)).TotalSeconds, 0)} s left");
                _ = Poll.poll(null, 0, 1);
                _mptcp = null;
            }
        }

        return true;
    }

    /// <summary>Reports what became of each candidate.</summary>
    public void Complete()
    {
        _mptcp = null;
        var results = new ResultBatch(_round.Report, Method.Kill);
        for (int i = 0; i < _candidates.Count; i++)
        {
            if (_candidates[i].Outcome == Outcome.Pending)
            {
                Outcome outcome = OutcomeOf(i);
                results.Add(i, outcome, outcome == Outcome.Failed ? _errnos[i] : outcome == Outcome.Unknown ? _watch.Errno : 0);
            }
        }

        results.Flush();
    }

    /// <summary>Reports the reasons for open connections that apply to the whole run.</summary>
    public void ReportProblems()
    {
        if (!_refused.Failure.IsNone)
        {
            _round.Report.Problem(_refused.Failure with { Subject = $"process {_refused.Pid}" });
        }

        if (Array.IndexOf(_reasons, Outcome.OwnerUnknown) >= 0)
        {
            _round.Report.Problem(_unreadable.Failure);
        }

        if (_holders.UnknownProtection.Count > 0)
        {
            _round.Report.Problem(_holders.UnknownProtection.Failure);
        }
    }

    private Outcome OutcomeOf(int i)
    {
        HeldState state = _held[i];
        bool signalled = state.HasFlag(HeldState.Signalled);
        return (signalled ? LookAtSignalled(i) : _watch.Look(i)) switch
        {
            Presence.Unknown => signalled || !state.HasFlag(HeldState.NotReached) ? Outcome.Unknown : Outcome.NotReached,

            // If not all sockets of a signalled process are known, it may have held this one, too.
            Presence.Gone => signalled ? Outcome.Killed : _hasSignalledPartlyKnown ? Outcome.Unknown : Outcome.Vanished,
            Presence.There => state.HasFlag(HeldState.Refused) ? Outcome.Failed
                : signalled && state.HasFlag(HeldState.Busy) ? _busy[i]
                : signalled ? _isInterrupted ? Outcome.NotAwaited : Outcome.StillThere
                : _reasons[i] is { } reason ? reason
                : state.HasFlag(HeldState.Busy) ? _busy[i]
                : state.HasFlag(HeldState.NotReached) ? Outcome.NotReached
                : HolderRule.Unheld(in _candidates[i], _holders.Unreadable),
        };
    }

    /// <summary>Whether the connection exists and a process has it open. MPTCP subflows alone do not show the latter.</summary>
    private Presence LookAtSignalled(int i)
    {
        Presence presence = _watch.Look(i);
        if (presence != Presence.There || !_candidates[i].IsMptcp)
        {
            return presence;
        }

        try
        {
            MptcpCookies mptcp = _mptcp ?? MptcpCookies.Find(_round.Dump, _candidates);
            _mptcp = mptcp.Errno == 0 ? mptcp : null;
            return mptcp.Errno != 0 ? Presence.Unknown
                : mptcp.IsOpen(_candidates[i].Inode) ? Presence.There
                : Presence.Gone;
        }
        catch (SystemCallException)
        {
            return Presence.Unknown;
        }
    }
}
