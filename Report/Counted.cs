namespace TcpCloser.Report;

/// <summary>As what a connection counts in the summary.</summary>
internal enum Counted
{
    /// <summary>It matched, and was left alone.</summary>
    Matched,

    /// <summary>It would be closed.</summary>
    Idle,

    Closed,

    /// <summary>It lives on, with keepalive.</summary>
    Cured,

    Vanished,

    Spared,

    Failed,
}
