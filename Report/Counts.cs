using TcpCloser.Diag;

namespace TcpCloser.Report;

/// <summary>What a round, or all rounds of a service together, came to.</summary>
internal sealed class Counts
{
    public long Matched { get; set; }

    public long Closed { get; private set; }

    public long Cured { get; private set; }

    public long Vanished { get; private set; }

    public long Spared { get; private set; }

    public long Failed { get; private set; }

    /// <summary>Connections that would be closed, in a dry run or above --max.</summary>
    public long WouldClose { get; set; }

    /// <summary>Of those that failed, the ones whose turn did not come before the run was interrupted.</summary>
    public long NotReached { get; private set; }

    /// <summary>Of those that failed, the ones that may have been closed.</summary>
    public long Unknown { get; private set; }

    /// <summary>All that were to be closed.</summary>
    public long Idle => Closed + Cured + Vanished + Spared + Failed + WouldClose;

    /// <summary>Whether a service says anything about this round.</summary>
    public bool IsNews => Closed + Cured + Failed + Spared > 0;

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
                Unknown += outcome == Outcome.Unknown ? 1 : 0;
                break;
            case Counted.Idle:
                WouldClose++;
                break;
            case Counted.Matched:
                break; // all that matched are counted when they are listed
        }
    }

    public void Clear() => Matched = Closed = Cured = Vanished = Spared = Failed = WouldClose = NotReached = Unknown = 0;

    public void Add(Counts other)
    {
        Matched += other.Matched;
        Closed += other.Closed;
        Cured += other.Cured;
        Vanished += other.Vanished;
        Spared += other.Spared;
        Failed += other.Failed;
        WouldClose += other.WouldClose;
        NotReached += other.NotReached;
        Unknown += other.Unknown;
    }

    public TextBuffer Write(TextBuffer text)
    {
        text.Add("matched="u8).Add((ulong)Matched).Add(" idle="u8).Add((ulong)Idle).Add(" closed="u8).Add((ulong)Closed);
        if (Cured > 0)
        {
            text.Add(" cured="u8).Add((ulong)Cured);
        }

        return text.Add(" vanished="u8).Add((ulong)Vanished).Add(" spared="u8).Add((ulong)Spared).Add(" failed="u8).Add((ulong)Failed);
    }
}
