namespace TcpCloser.Rules;

/// <summary>How a run executes its <see cref="Rule"/>: how often, where the log goes, what is printed. Only the parser sets it.</summary>
internal sealed class RunOptions
{
    /// <summary>Close nothing. Implied if connections are only counted.</summary>
    public bool DryRun
    {
        get => field || GroupBy is not null;
        set;
    }

    /// <summary>The key by which connections are counted; null: they are not counted.</summary>
    public GroupKey? GroupBy { get; set; }

    /// <summary>Run as a service, one round per interval; null: run once.</summary>
    public TimeSpan? Interval { get; set; }

    /// <summary>Report what this kernel and these privileges allow, and close nothing.</summary>
    public bool Check { get; set; }

    /// <summary>The file that the log goes to instead of stderr; null: stderr.</summary>
    public string? LogFile { get; set; }

    public bool Syslog { get; set; } = true;

    public bool Verbose { get; set; }

    /// <summary>Log warnings and errors only.</summary>
    public bool Quiet { get; set; }

    /// <summary>Hints about ambiguous values of the command line.</summary>
    public List<string> Hints { get; } = [];

    /// <summary>Print one JSON object per connection to stdout.</summary>
    public bool Json { get; set; }

    /// <summary>The file that the counts of each round are written to, for Prometheus; null: none.</summary>
    public string? Metrics { get; set; }

    /// <summary>Whether connections that matched but are skipped are reported, too.</summary>
    public bool ReportsLeftAlone => Verbose || (Json && Interval is null && GroupBy is null);

    /// <summary>Whether some output shows the details of each connection.</summary>
    public bool ShowsDetails => (Verbose || Json || DryRun) && GroupBy is null;
}

/// <summary>The key by which <c>--group-by</c> counts connections.</summary>
internal enum GroupKey
{
    /// <summary>The port of the listening side.</summary>
    Port,

    /// <summary>The remote address.</summary>
    Peer,

    /// <summary>The process that holds the socket.</summary>
    Process,

    /// <summary>The name of that process.</summary>
    Command,

    /// <summary>The user that the socket belongs to.</summary>
    Uid,

    /// <summary>The container of the socket's cgroup, or else the unit.</summary>
    Unit,

    /// <summary>The Kubernetes pod of the socket's cgroup.</summary>
    Pod,

    /// <summary>The TCP state.</summary>
    State,

    /// <summary>The network namespace.</summary>
    Netns,
}

/// <summary>The words for these keys, on the command line and in the output.</summary>
internal static class GroupKeyName
{
    public static ReadOnlySpan<GroupKey> All =>
    [
        GroupKey.Port, GroupKey.Peer, GroupKey.Process, GroupKey.Command, GroupKey.Uid, GroupKey.Unit, GroupKey.Pod, GroupKey.State,
        GroupKey.Netns,
    ];

    public static string Of(GroupKey key) => key switch
    {
        GroupKey.Port => "port",
        GroupKey.Peer => "peer",
        GroupKey.Process => "process",
        GroupKey.Command => "command",
        GroupKey.Uid => "uid",
        GroupKey.Unit => "unit",
        GroupKey.Pod => "pod",
        GroupKey.State => "state",
        GroupKey.Netns => "netns",
    };
}
