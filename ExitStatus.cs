namespace TcpCloser;

/// <summary>The program's exit status.</summary>
internal static class ExitStatus
{
    /// <summary>Everything idle was closed, or nothing matched.</summary>
    public const int Done = 0;

    /// <summary>A connection could not be closed, the log or the records could not be written, or the run was interrupted.</summary>
    public const int Incomplete = 1;

    /// <summary>The command line cannot be meant; nothing was looked at.</summary>
    public const int Usage = 2;

    /// <summary>More connections would be closed than --max allows; none was.</summary>
    public const int Refused = 4;

    /// <summary>No privilege, or the kernel lacks what is needed, and nothing was closed.</summary>
    public const int NotPossible = 3;

    /// <summary>Its name in metrics and in what a service manager is told.</summary>
    public static string NameOf(int status) => status switch
    {
        Done => "done",
        Refused => "refused",
        NotPossible => "not_possible",
        Incomplete => "incomplete",
        Usage => "usage",
        _ => "unknown",
    };
}
