namespace TcpCloser.Cli;

/// <summary>The command line while it is read, option by option in the order given; then what must hold of it as a whole.</summary>
internal sealed class CommandLineBuilder
{
    public RuleBuilder Rule { get; } = new();

    public RunBuilder Run { get; } = new();

    /// <summary>What <c>--help</c> or <c>--version</c> answers; null: neither was asked for.</summary>
    public string? Text { get; set; }

    /// <summary>What the options mean together.</summary>
    /// <exception cref="UsageException">They contradict each other, or select nothing.</exception>
    public (Rule Rule, RunOptions Run) Build()
    {
        if (Run.GroupBy is not null && Rule.Families == 0 && Rule.Sources.Count + Rule.Destinations.Count == 0)
        {
            Rule.Families = Families.IPv4 | Families.IPv6;
        }

        Rule rule = Rule.Build();
        RunOptions run = Run.Build();
        if (!rule.Selects && !run.Check && run.GroupBy is null)
        {
            throw new UsageException(StateList.AreAfterClose(rule.States)
                ? "nothing selected: --state with states after a close is enough only together with -t/--idle-time"
                : "nothing selected: give at least one port by -s/--sport or -d/--dport, " +
                  "or an address, an owner, an interface, a mark, a cgroup, --src-gone, or only states after a close by --state");
        }

        if (run.Quiet && run.Verbose)
        {
            throw new UsageException("-q/--quiet and -v/--verbose: one tells less, the other more");
        }

        if (run.GroupBy is not null && (run.Interval is not null || rule.Probe > TimeSpan.Zero || rule.Max is not null))
        {
            throw new UsageException(
                $"{(run.Interval is not null ? "-i/--interval" : rule.Probe > TimeSpan.Zero ? "--probe" : "--max")}: does not go with --group-by, " +
                "which counts once and closes nothing");
        }

        if (rule.LastRecvLimit > TimeSpan.Zero && rule.IdleTime >= rule.LastRecvLimit)
        {
            throw new UsageException(
                $"-t/--idle-time {(long)rule.IdleTime.TotalMilliseconds} ms: must be below --last-recv-limit " +
                $"({(long)rule.LastRecvLimit.TotalMilliseconds} ms), or nothing can ever be closed");
        }

        if (rule.Method != Method.Kill && (Rule.Signal is not null || rule.Grace is not null))
        {
            throw new UsageException($"{(Rule.Signal is not null ? "--signal" : "--grace")}: belongs to --method kill (--use-proc); " +
                "the other methods send no signal");
        }

        if (rule.Method != Method.Keepalive && (rule.Keepalive is not null || rule.UserTimeout is not null))
        {
            throw new UsageException($"{(rule.Keepalive is not null ? "--keepalive" : "--user-timeout")}: belongs to --method keepalive; " +
                "the other methods close");
        }

        KeepaliveTimes times = rule.Keepalive ?? KeepaliveTimes.Default;
        if (rule.UserTimeout is { } timeout && timeout < times.Longest)
        {
            throw new UsageException($"--user-timeout {(long)timeout.TotalMilliseconds} ms: must be at least IDLE + INTERVAL x COUNT of --keepalive " +
                $"({(long)times.Longest.TotalSeconds}s), or it would end connections whose peer still has time to answer");
        }

        return (rule, run);
    }
}
