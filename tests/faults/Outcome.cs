namespace TcpCloser.Faults;

/// <summary>What was told of a connection.</summary>
internal enum Outcome
{
    Closed,
    Vanished,
    Spared,
    LeftAlone,
    Failed,
    Unknown,
    NotReached,
    WouldClose,
}
