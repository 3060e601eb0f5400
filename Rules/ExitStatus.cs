namespace TcpCloser.Rules;

/// <summary>The exit status of the program.</summary>
internal enum ExitStatus
{
    /// <summary>Everything idle was closed, or nothing matched.</summary>
    Done = 0,

    /// <summary>A connection could not be closed, the log or the records could not be written, or the run was interrupted.</summary>
    Incomplete = 1,

    /// <summary>The command line is invalid; nothing was inspected.</summary>
    Usage = 2,

    /// <summary>A privilege or the kernel's support is missing, and nothing was closed.</summary>
    NotPossible = 3,

    /// <summary>More connections would be closed than <c>--max</c> allows, so none was.</summary>
    Refused = 4,
}

/// <summary>The words for exit statuses in metrics and in the status that a service manager shows.</summary>
internal static class ExitStatusName
{
    public static string Of(ExitStatus status) => status switch
    {
        ExitStatus.Done => "done",
        ExitStatus.Incomplete => "incomplete",
        ExitStatus.Usage => "usage",
        ExitStatus.NotPossible => "not_possible",
        ExitStatus.Refused => "refused",
    };
}
