namespace TcpCloser.Cli;

/// <summary>
/// Every option there is. What the parser takes, <c>--help</c>, and the suggestion for a misspelt name all come from here; a new
/// option is an entry here and a property of <see cref="RuleBuilder"/> or <see cref="RunBuilder"/>.
/// </summary>
internal static class OptionTable
{
    /// <summary>Longer waits than these are typing errors.</summary>
    private static readonly TimeSpan s_longestInterval = TimeSpan.FromDays(3650);

    private static readonly TimeSpan s_longestGrace = TimeSpan.FromDays(1);

    public static readonly OptionEntry[] Entries =
    [
        new(OptionGroup.Selecting, ["-4"], "IPv4, also on dual-stack sockets",
            static builder => builder.Rule.Families |= Families.IPv4),
        new(OptionGroup.Selecting, ["-6"], "IPv6 (neither: as the addresses are, IPv4 for a port, else both)",
            static builder => builder.Rule.Families |= Families.IPv6),
        new(OptionGroup.Selecting, ["-s", "--sport"], "LIST", "source (local) ports: 22,80,8000-8999,postgresql",
            static (builder, name, value) => PortList.Parse(name, value, builder.Rule.SourcePorts)),
        new(OptionGroup.Selecting, ["-d", "--dport"], "LIST", "destination (remote) ports",
            static (builder, name, value) => PortList.Parse(name, value, builder.Rule.DestinationPorts)),
        new(OptionGroup.Selecting, ["--src"], "LIST", "local addresses or prefixes: 10.0.0.0/8",
            static (builder, name, value) => AddressPrefix.ParseList(name, value, builder.Rule.Sources)),
        new(OptionGroup.Selecting, ["--dst"], "LIST", "remote addresses or prefixes",
            static (builder, name, value) => AddressPrefix.ParseList(name, value, builder.Rule.Destinations)),
        new(OptionGroup.Selecting, ["--not-src"], "LIST", "not these local ones",
            static (builder, name, value) => AddressPrefix.ParseList(name, value, builder.Rule.NotSources)),
        new(OptionGroup.Selecting, ["--not-dst"], "LIST", "not these remote ones",
            static (builder, name, value) => AddressPrefix.ParseList(name, value, builder.Rule.NotDestinations)),
        new(OptionGroup.Selecting, ["--state"], "LIST",
            "TCP states and groups by the names of ss, netstat (established); listening sockets only where listen is named",
            static (builder, name, value) => builder.Rule.States |= StateList.Parse(name, value)),
        new(OptionGroup.Selecting, ["--uid"], "LIST", "users who own the socket, by name or number",
            static (builder, name, value) => OwnerList.ParseUids(name, value, builder.Rule.Uids)),
        new(OptionGroup.Selecting, ["--pid"], "LIST", "processes that hold the socket",
            static (builder, name, value) => OwnerList.ParsePids(name, value, builder.Rule.Pids)),
        new(OptionGroup.Selecting, ["--comm"], "LIST", "the same by the process name",
            static (builder, name, value) => OwnerList.ParseComms(name, value, builder.Rule.Comms)),
        new(OptionGroup.Selecting, ["--interface"], "DEV", "the device the socket is bound to",
            static (builder, name, value) => builder.Rule.Interfaces.Add(SingleValue.Device(name, value))),
        new(OptionGroup.Selecting, ["--mark"], "M[/MASK]", "the socket's mark",
            static (builder, name, value) => builder.Rule.Marks.Add(SocketMark.Parse(name, value))),
        new(OptionGroup.Selecting, ["--cgroup"], "PATH", "the socket's cgroup (v2)",
            static (builder, name, value) => builder.Rule.Cgroups.Add(SingleValue.Path(name, value))),
        new(OptionGroup.Selecting, ["--netns"], "NAME|PATH|pid:N", "look in another network namespace",
            static (builder, name, value) => builder.Rule.Netns.Add(SingleValue.Netns(name, value))),
        new(OptionGroup.Selecting, ["--all-netns"], "look in all network namespaces",
            static builder => builder.Rule.AllNetns = true),

        new(OptionGroup.Selecting, ["--src-gone"], "only where the local address is gone from the network namespace",
            static builder => builder.Rule.SrcGone = true),

        new(OptionGroup.Idle, ["-t", "--idle-time", "--idle_time"], "TIME", "only where no data came for TIME (0: idle or not)",
            static (builder, name, value) => builder.Rule.IdleTime = IdleTime(builder, name, value)),
        new(OptionGroup.Idle, ["--last-recv-limit", "--last_recv_limit"], "TIME", "not where no data came for TIME or more (0: no limit)",
            static (builder, name, value) => builder.Rule.LastRecvLimit = IdleTime(builder, name, value)),
        new(OptionGroup.Idle, ["--idle-by"], "recv|send|both", "which direction counts for both of these (recv)",
            static (builder, name, value) => builder.Rule.IdleBy = SingleValue.IdleBy(name, value)),
        new(OptionGroup.Idle, ["--no-ack-for"], "TIME", "only where something was sent, and for TIME provably nobody has acknowledged it",
            static (builder, name, value) => builder.Rule.NoAckFor = IdleTime(builder, name, value)),

        new(OptionGroup.Idle, ["--probe"], "TIME", "ask: only where the peer answers no keepalive probe for TIME (3s to 5m)",
            static (builder, name, value) => builder.Rule.Probe = SingleValue.Probe(name, value)),

        new(OptionGroup.Closing, ["--method"], "METHOD", "how a connection is closed:",
            static (builder, name, value) => builder.Rule.Method = MethodName.Parse(name, value))
        {
            Words =
            [
#if NO_SOCK_DESTROY
                new("kill", "find the processes that hold the socket in /proc and signal them (default)"),
                new("disconnect", "fetch the socket from its owner and disconnect it; no process is touched"),
                new("auto", "disconnect"),
                new("keepalive", "close nothing: give the sockets TCP keepalive"),
#else
                new("auto", "destroy, or disconnect where the kernel has no SOCK_DESTROY (default)"),
                new("destroy", "SOCK_DESTROY: the kernel aborts the connection"),
                new("disconnect", "fetch the socket from its owner and disconnect it"),
                new("kill", "find the processes that hold the socket in /proc and signal them"),
                new("keepalive", "close nothing: give the sockets TCP keepalive"),
#endif
            ],
        },
        new(OptionGroup.Closing, ["--use-proc", "--use_proc"], "the same as --method kill",
            static builder => builder.Rule.Method = Method.Kill),
        new(OptionGroup.Closing, ["--signal"], "NAME", "with kill: the signal (KILL; with --grace, TERM)",
            static (builder, name, value) => builder.Rule.Signal = SingleValue.Signal(name, value)),
        new(OptionGroup.Closing, ["--grace"], "TIME", "with kill: SIGKILL for what still lives after TIME",
            static (builder, name, value) => builder.Rule.Grace = TimeValue.Parse(name, value, 1, s_longestGrace)),
        new(OptionGroup.Closing, ["--keepalive"], "IDLE[,INTERVAL[,COUNT]]", "with keepalive: its values (60s,10s,6, where it is off)",
            static (builder, name, value) => builder.Rule.Keepalive = KeepaliveTimes.Parse(name, value)),
        new(OptionGroup.Closing, ["--user-timeout"], "TIME", "with keepalive: TCP_USER_TIMEOUT, how long data may stay unacknowledged",
            static (builder, name, value) => builder.Rule.UserTimeout = TimeValue.Parse(name, value, 1, TimeSpan.FromMilliseconds(int.MaxValue))),
        new(OptionGroup.Closing, ["-n", "--dry-run"], "show what would be closed, close nothing",
            static builder => builder.Run.DryRun = true),
        new(OptionGroup.Closing, ["--max"], "N", "where more than N would be closed, close none",
            static (builder, name, value) => builder.Rule.Max = SingleValue.Max(name, value)),
        new(OptionGroup.Closing, ["--include-own-session"], "also the connection of your own ssh session",
            static builder => builder.Rule.IncludeOwnSession = true),
        new(OptionGroup.Closing, ["-i", "--interval"], "TIME", "run as a service: now and every TIME (bare: seconds)",
            static (builder, name, value) => builder.Run.Interval = SingleValue.Interval(name, value, s_longestInterval)),
        new(OptionGroup.Closing, ["--check"], "say what is possible here, and close nothing",
            static builder => builder.Run.Check = true),
        new(OptionGroup.Closing, ["--group-by"], "KEY",
            "only count: by port (of the listening side), peer, process, uid, state or netns; needs no selection",
            static (builder, name, value) => builder.Run.GroupBy = SingleValue.GroupKey(name, value)),

        new(OptionGroup.Telling, ["-f", "--logfile"], "PATH", "append log lines to a file instead of stderr",
            static (builder, name, value) => builder.Run.LogFile = SingleValue.Path(name, value)),
        new(OptionGroup.Telling, ["--disable-syslog", "--disable_syslog"], "no copy of them to syslog",
            static builder => builder.Run.Syslog = false),
        new(OptionGroup.Telling, ["--name"], "NAME", "what this run is called in lines and records (rule=NAME)",
            static (builder, name, value) => builder.Rule.Name = SingleValue.Name(name, value)),
        new(OptionGroup.Telling, ["-q", "--quiet"], "warnings and errors only, and on stderr even with -f",
            static builder => builder.Run.Quiet = true),
        new(OptionGroup.Telling, ["-v", "--verbose"], "also what was left alone and why, and the filter",
            static builder => builder.Run.Verbose = true),
        new(OptionGroup.Telling, ["--json"], "a JSON object a line on stdout",
            static builder => builder.Run.Json = true),
        new(OptionGroup.Telling, ["--metrics"], "FILE", "each round's counts, for node_exporter's textfiles",
            static (builder, name, value) => builder.Run.Metrics = SingleValue.Path(name, value)),
        new(OptionGroup.Telling, ["-h", "--help"], "this text",
            static builder => builder.Text = HelpText.Help()),
        new(OptionGroup.Telling, ["--version"], "the version",
            static builder => builder.Text = HelpText.Version),
    ];

    /// <summary>The option of that name; null: there is none.</summary>
    public static OptionEntry? Find(string name)
    {
        foreach (OptionEntry entry in Entries)
        {
            if (Array.IndexOf(entry.Names, name) >= 0)
            {
                return entry;
            }
        }

        return null;
    }

    /// <summary>Whether a word is an option as one types it: a name, flags in one word, and either with a value behind it.</summary>
    public static bool IsOption(string word)
    {
        if (word.StartsWith("--", StringComparison.Ordinal))
        {
            int end = word.IndexOf('=');
            return Find(end < 0 ? word : word[..end]) is not null;
        }

        OptionEntry? entry = null;
        for (int i = 1; i < word.Length && entry is not { TakesValue: true }; i++)
        {
            entry = word[0] == '-' ? Find("-" + word[i]) : null;
            if (entry is null)
            {
                return false;
            }
        }

        return entry is not null;
    }

    /// <summary>A bare number is milliseconds here, and who writes a small one may mean seconds.</summary>
    private static TimeSpan IdleTime(CommandLineBuilder builder, string name, string value)
    {
        TimeSpan time = TimeValue.Parse(name, value, 1, TimeValue.KernelClock);
        if (char.IsAsciiDigit(value[^1]) && time > TimeSpan.Zero && time < TimeSpan.FromSeconds(1))
        {
            builder.Run.Remarks.Add($"{name} {value} is {value} ms; for seconds {value}s");
        }

        return time;
    }
}
