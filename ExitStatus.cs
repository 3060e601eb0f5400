namespace TcpCloser;

/// <summary>The program's exit status.</summary>
internal enum ExitStatus
{
    /// <summary>Everything idle was closed, or nothing matched.</summary>
    Done = 0,

    /// <summary>A connection could not be closed, the log or the records could not be written, or the run was interrupted.</summary>
    Incomplete = 1,

    /// <summary>The command line cannot be meant; nothing was looked at.</summary>
    Usage = 2,

    /// <summary>No privilege, or the kernel lacks what is needed, and nothing was closed.</summary>
    NotPossible = 3,

    /// <summary>More connections would be closed than --max allows; none was.</summary>
    Refused = 4,
}
