using TcpCloser.Diag;

namespace TcpCloser.Report;

/// <summary>The counters of a round, or the totals of a service.</summary>
internal sealed class Counts
{
    public long Matched { get; set; }

    public long Closed { get; private set; }

    public long Cured { get; private set; }

    public long Vanished { get; private set; }

    public long Spared { get; private set; }

    public long Failed { get; private set; }

    /// <summary>Skipped because the peer answered. This and the next two are counted only with <c>--probe</c>.</summary>
    public long Answered { get; private set; }

    public long Unproved { get; private set; }

    public long Unasked { get; private set; }

    /// <summary>Left for the next round because of <c>--limit</c>.</summary>
    public long OverLimit { get; private set; }

    /// <summary>Whether there is a <c>--limit</c>, so that the summary includes <see cref="OverLimit"/>.</summary>
    public bool HasLimit { get; init; }

    /// <summary>Whether peers are probed, so that the summary includes the verdicts.</summary>
    public bool HasVerdicts { get; init; }

    /// <summary>Connections that <c>--only</c> names and none of which matched.</summary>
    public long NotFound { get; set; }

    /// <summary>Whether connections are named, so that the summary includes how many were not found.</summary>
    public bool HasNotFound { get; init; }

    /// <summary>Connections that would be closed, in a dry run or above --max.</summary>
    public long WouldClose { get; set; }

    /// <summary>The part of <see cref="Failed"/> that an interrupted run did not reach.</summary>
    public long NotReached { get; private set; }

    /// <summary>The part of <see cref="Failed"/> whose processes were signalled, but had not ended when the run was interrupted.</summary>
    public long NotAwaited { get; private set; }

    /// <summary>The part of <see cref="Failed"/> that may have been closed.</summary>
    public long Unknown { get; private set; }

    /// <summary>All candidates for closing.</summary>
    public long Idle => Closed + Cured + Vanished + Spared + Failed + WouldClose;

    /// <summary>Whether a service logs a summary of this round.</summary>
    public bool IsNews => Closed + Cured + Failed + Spared + WouldClose > 0;

    public void Count(Outcome outcome)
    {
        switch (OutcomeInfo.Of(outcome).Counted)
        {
            case Counted.Closed:
                Closed++;
                break;
            case Counted.Cured:
                Cured++;
                break;
            case Counted.Spared:
                Spared++;
                break;
            case Counted.Vanished:
                Vanished++;
                break;
            case Counted.Failed:
                Failed++;
                NotReached += outcome == Outcome.NotReached ? 1 : 0;
                NotAwaited += outcome == Outcome.NotAwaited ? 1 : 0;
                Unknown += outcome == Outcome.Unknown ? 1 : 0;
                break;
            case Counted.Answered:
                Answered++;
                break;
            case Counted.Unproved:
                Unproved++;
                break;
            case Counted.Unasked:
                Unasked++;
                break;
            case Counted.OverLimit:
                OverLimit++;
                break;
            case Counted.Idle:
                WouldClose++;
                break;
            case Counted.Matched:
                break; // Matched is counted during the dump
        }
    }

    public void Clear() => Matched = Closed = Cured = Vanished = Spared = Failed = WouldClose = NotReached = NotAwaited = Unknown
        = Answered = Unproved = Unasked = NotFound = OverLimit = 0;

    public void Add(Counts other)
    {
        Matched += other.Matched;
        Closed += other.Closed;
        Cured += other.Cured;
        Vanished += other.Vanished;
        Spared += other.Spared;
        Failed += other.Failed;
        WouldClose += other.WouldClose;
        Answered += other.Answered;
        Unproved += other.Unproved;
        Unasked += other.Unasked;
        NotFound += other.NotFound;
        OverLimit += other.OverLimit;
        NotReached += other.NotReached;
        NotAwaited += other.NotAwaited;
        Unknown += other.Unknown;
    }

    public TextBuffer Write(TextBuffer text)
    {
        text.Add("matched="u8).Add((ulong)Matched).Add(" idle="u8).Add((ulong)Idle).Add(" closed="u8).Add((ulong)Closed);
        if (Cured > 0)
        {
            text.Add(" cured="u8).Add((ulong)Cured);
        }

        text.Add(" vanished="u8).Add((ulong)Vanished).Add(" spared="u8).Add((ulong)Spared).Add(" failed="u8).Add((ulong)Failed);
        if (HasVerdicts)
        {
            text.Add(" answered="u8).Add((ulong)Answered).Add(" unproved="u8).Add((ulong)Unproved).Add(" unasked="u8).Add((ulong)Unasked);
        }

        if (HasNotFound)
        {
            text.Add(" not_found="u8).Add((ulong)NotFound);
        }

        return HasLimit ? text.Add(" over_limit="u8).Add((ulong)OverLimit) : text;
    }
}
