namespace TcpCloser.Cli;

/// <summary>How a run goes about its <see cref="Rule"/>: how often, where the log goes, what is printed. It never changes.</summary>
internal sealed class RunOptions(RunBuilder builder)
{
    public bool DryRun { get; } = builder.DryRun;

    /// <summary>Run as a service, a round each interval; null: once.</summary>
    public TimeSpan? Interval { get; } = builder.Interval;

    /// <summary>Say what this kernel and these privileges allow, and close nothing.</summary>
    public bool Check { get; } = builder.Check;

    /// <summary>Where the log goes in place of stderr.</summary>
    public string? LogFile { get; } = builder.LogFile;

    public bool Syslog { get; } = builder.Syslog;

    public bool Verbose { get; } = builder.Verbose;

    /// <summary>Print an object for each connection to stdout.</summary>
    public bool Json { get; } = builder.Json;

    /// <summary>The file that each round's counts are written into, for Prometheus.</summary>
    public string? Metrics { get; } = builder.Metrics;
}
