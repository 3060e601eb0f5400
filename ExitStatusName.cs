namespace TcpCloser;

/// <summary>What an exit status is called in metrics and in what a service manager is told.</summary>
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
