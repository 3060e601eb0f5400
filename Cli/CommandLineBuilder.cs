using TcpCloser.Interop;
using TcpCloser.Rules;

namespace TcpCloser.Cli;

/// <summary>Collects the options in the order given, then validates them as a whole.</summary>
internal sealed class CommandLineBuilder
{
    public Rule Rule { get; } = new();

    public RunOptions Run { get; } = new();

    /// <summary>The text that <c>--help</c> or <c>--version</c> prints; null: neither was given.</summary>
    public string? Text { get; set; }

    /// <summary>The value of <c>--user-timeout</c> as it was typed.</summary>
    public string UserTimeout { get; set; } = "";

    /// <summary>Validates the options together and completes the rule with the defaults that depend on several of them.</summary>
    /// <exception cref="UsageException">The options contradict each other or select nothing.</exception>
    public (Rule Rule, RunOptions Run) Build()
    {
        if (Run.GroupBy is not null && Rule.Families == 0 && Rule.Sources.Count + Rule.Destinations.Count == 0)
        {
            Rule.Families = Families.IPv4 | Families.IPv6;
        }

        if (Run.GroupBy is not null && Rule.States == 0)
        {
            Rule.States = StateSet.Counted;
        }

        Rule.Families = FamilyChoice.Decide(Rule);
        Rule.States = Rule.States == 0 ? 1u << TcpState.Established : Rule.States;
        (Rule rule, RunOptions run) = (Rule, Run);
        if (!rule.Selects && !run.Check && run.GroupBy is null)
        {
            throw new UsageException(StateSet.AreAfterClose(rule.States)
                ? "nothing selected: states after a close (--state) select connections only together with an idle time; add -t, such as -t 10m"
                : "nothing selected: add a port (-s/--sport, -d/--dport), an address (--src, --dst, --src-gone), a user or process (--uid, --pid, " +
                  "--comm), an interface, a mark, a cgroup, a pod or a list of connections (--only), or select only states after a close (--state)");
        }

        if (run.Quiet && run.Verbose)
        {
            throw new UsageException("-q/--quiet and -v/--verbose: cannot be combined; the one logs less, the other more");
        }

        if (run.GroupBy is not null && (run.Interval is not null || rule.Max is not null || rule.Limit is not null || rule.Keep is not null))
        {
            string option = run.Interval is not null ? "-i/--interval" : rule.Max is not null ? "--max" : rule.Limit is not null ? "--limit" : "--keep";
            throw new UsageException($"{option}: cannot be combined with --group-by, which counts once and closes nothing");
        }

        if (rule.MatchedFor > TimeSpan.Zero && run.Interval is null)
        {
            throw new UsageException("--matched-for: requires -i/--interval; only a service sees connections in several rounds");
        }

        if (rule.Limit is not null && rule.Method == Method.Keepalive)
        {
            throw new UsageException("--limit: cannot be combined with --method keepalive, which closes nothing and would change the same connections in each round");
        }

        if (rule.LastRecvLimit > TimeSpan.Zero && rule.IdleTime >= rule.LastRecvLimit)
        {
            throw new UsageException(
                $"-t/--idle-time {(long)rule.IdleTime.TotalMilliseconds} ms: must be below --last-recv-limit " +
                $"({(long)rule.LastRecvLimit.TotalMilliseconds} ms), otherwise nothing can ever be closed");
        }

        if (rule.Method != Method.Kill && (rule.NamedSignal is not null || rule.Grace is not null))
        {
            throw new UsageException($"{(rule.NamedSignal is not null ? "--signal" : "--grace")}: requires --method kill (--use-proc); " +
                "the other methods send no signal");
        }

        if (rule.Method != Method.Keepalive && (rule.Keepalive is not null || rule.UserTimeout is not null))
        {
            throw new UsageException($"{(rule.Keepalive is not null ? "--keepalive" : "--user-timeout")}: requires --method keepalive; " +
                "the other methods close connections");
        }

        KeepaliveTimes times = rule.Keepalive ?? KeepaliveTimes.Default;
        if (rule.UserTimeout is { } timeout && timeout < times.DetectionTime)
        {
            throw new UsageException("--user-timeout", UserTimeout, $"must be at least {(long)times.DetectionTime.TotalSeconds}s, " +
                "IDLE + INTERVAL x COUNT of --keepalive, otherwise it would end connections whose peer still has time to answer" +
                (char.IsAsciiDigit(UserTimeout[^1]) ? "; a number without a unit is milliseconds" : ""));
        }

        ReadNamedConnections();
        return (rule, run);
    }

    /// <summary>Reads the files of <c>--only</c>, after all other checks: stdin may be slow.</summary>
    private void ReadNamedConnections()
    {
        if (Run.Interval is not null && Rule.Only.Contains("-"))
        {
            throw new UsageException("--only", "-", "cannot be combined with -i/--interval, because a service reads the connections again " +
                "in each round; write them to a file");
        }

        foreach (string path in Rule.Only)
        {
            Rule.NamedConnections ??= new NamedConnections();
            if (ConnectionFile.Read(path, isReadAgain: Run.Interval is not null, Rule.NamedConnections) is { } error)
            {
                throw new UsageException("--only", path, error.Description);
            }
        }
    }
}

/// <summary>
/// Decides which families a rule looks at: those given, else those of the addresses, else IPv4 if ports are given without a list of connections, else both.
/// </summary>
internal static class FamilyChoice
{
    /// <summary>The families of a rule. Named connections have their own.</summary>
    /// <exception cref="UsageException">No connection of these families can have one of the addresses, or the sources and the destinations differ in family.</exception>
    public static Families Decide(Rule rule)
    {
        Families sources = Of(rule.Sources);
        Families destinations = Of(rule.Destinations);
        if (sources != 0 && destinations != 0 && (sources & destinations) == 0)
        {
            throw new UsageException("--src and --dst: addresses of different families, which no connection can have");
        }

        Families families = rule.Families != 0 ? rule.Families
            : (sources | destinations) != 0 ? sources | destinations
            : rule.Only.Count == 0 && rule.SourcePorts.Count + rule.DestinationPorts.Count > 0 ? Families.IPv4
            : Families.IPv4 | Families.IPv6;

        // The reverse is fine: under -6 an IPv4 address means connections on dual-stack sockets.
        if (families == Families.IPv4)
        {
            string remedy = rule.Families == 0 ? "add -6, or -4 -6 for both" : "add -6 or omit -4";
            RefuseIPv6("--src", rule.Sources, remedy);
            RefuseIPv6("--dst", rule.Destinations, remedy);
            RefuseIPv6("--not-src", rule.NotSources, remedy);
            RefuseIPv6("--not-dst", rule.NotDestinations, remedy);
        }

        return families;
    }

    private static Families Of(List<AddressPrefix> prefixes)
    {
        Families families = 0;
        foreach (AddressPrefix prefix in prefixes)
        {
            families |= prefix.Family == Socket.AF_INET ? Families.IPv4 : Families.IPv6;
        }

        return families;
    }

    private static void RefuseIPv6(string option, List<AddressPrefix> prefixes, string remedy)
    {
        foreach (AddressPrefix prefix in prefixes)
        {
            if (prefix.Family == Socket.AF_INET6)
            {
                throw new UsageException(option, prefix.ToString(), "this is an IPv6 address, which no IPv4 connection has; " + remedy);
            }
        }
    }
}
