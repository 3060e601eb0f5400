namespace TcpCloser.Cli;

/// <summary>What <see cref="RunOptions"/> are made of. What is left as it is here is not asked for.</summary>
internal sealed class RunBuilder
{
    public bool DryRun { get; set; }

    public TimeSpan? Interval { get; set; }

    public bool Check { get; set; }

    public string? LogFile { get; set; }

    public bool Syslog { get; set; } = true;

    public bool Verbose { get; set; }

    public bool Quiet { get; set; }

    public GroupKey? GroupBy { get; set; }

    /// <summary>What of the command line may be meant otherwise, to be told once.</summary>
    public List<string> Remarks { get; } = [];

    public bool Json { get; set; }

    public string? Metrics { get; set; }

    public RunOptions Build() => new(this);
}
