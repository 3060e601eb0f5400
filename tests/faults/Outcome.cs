namespace TcpCloser.Faults;

/// <summary>What was told of a connection.</summary>
internal enum Outcome
{
    Closed,
    Vanished,
    Spared,
    LeftAlone,
    Failed,

    /// <summary>It was there when the time was over that a kill waits; a busy machine ends the process later.</summary>
    StillThere,

    Unknown,
    NotReached,
    WouldClose,
}
