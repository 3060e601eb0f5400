using TcpCloser.Diag;

namespace TcpCloser.Report;

/// <summary>What a run, or all rounds of a service together, came to.</summary>
internal sealed class Counts
{
    public long Matched { get; set; }

    public long Idle { get; set; }

    public long Closed { get; private set; }

    public long Vanished { get; private set; }

    public long Spared { get; private set; }

    public long Failed { get; private set; }

    /// <summary>Connections whose turn did not come before the run was broken off.</summary>
    public long NotReached { get; private set; }

    /// <summary>Whether a service says anything about this round.</summary>
    public bool IsNews => Closed + Failed + Spared + NotReached > 0;

    public void Count(Outcome outcome)
    {
        switch (outcome)
        {
            case Outcome.Destroyed or Outcome.Disconnected or Outcome.Killed:
                Closed++;
                break;
            case Outcome.Spared:
                Spared++;
                break;
            case Outcome.Vanished:
                Vanished++;
                break;
            case Outcome.Failed or Outcome.NoOwner or Outcome.OwnerProtected or Outcome.StillThere:
                Failed++;
                break;
            case Outcome.NotReached:
                NotReached++;
                break;
        }
    }

    public void Clear() => Matched = Idle = Closed = Vanished = Spared = Failed = NotReached = 0;

    public void Add(Counts other)
    {
        Matched += other.Matched;
        Idle += other.Idle;
        Closed += other.Closed;
        Vanished += other.Vanished;
        Spared += other.Spared;
        Failed += other.Failed;
        NotReached += other.NotReached;
    }

    public TextBuffer Write(TextBuffer text) =>
        text.Add("matched="u8).Add((ulong)Matched).Add(" idle="u8).Add((ulong)Idle).Add(" closed="u8).Add((ulong)Closed)
            .Add(" vanished="u8).Add((ulong)Vanished).Add(" spared="u8).Add((ulong)Spared).Add(" failed="u8).Add((ulong)Failed);
}
