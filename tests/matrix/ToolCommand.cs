namespace TcpCloser.Matrix;

/// <summary>The command line of a row: arguments, user, capabilities, and which processes the program can see.</summary>
internal static class ToolCommand
{
    internal const string IdleTime = "2s";
    internal const string Interval = "500ms";
    internal const string MatchedFor = "1s";
    /// <summary>The uid of a user who owns nothing.</summary>
    private const int Operator = 1002;

    /// <summary>The whole command line, including everything in front of the program.</summary>
    /// <param name="enough">A limit that allows to close everything.</param>
    internal static string[] Build(Row row, Scene scene, CopiedBinaries binaries, CgroupPair? cgroups, bool isDry, int max, int enough)
    {
        string[] outer = row.Holder == "outer" ? ["unshare", "-p", "-f", "--mount-proc", "--kill-child"] : [];
        return
        [
            .. scene.Home.Enter(), .. outer, .. Become(row), "env", "-i", "PATH=/usr/sbin:/usr/bin:/sbin:/bin", binaries.Tool,
            .. Select(row, scene, binaries, cgroups), .. Judge(row), .. Restrict(row, enough), .. Act(row, isDry, max),
        ];
    }

    /// <summary>The command line that counts the connections that the row selects, by their units, whatever their age.</summary>
    internal static string[] CountByUnit(Row row, Scene scene, CopiedBinaries binaries, CgroupPair cgroups) =>
    [
        .. scene.Home.Enter(), .. Become(row), "env", "-i", "PATH=/usr/sbin:/usr/bin:/sbin:/bin", binaries.Tool,
        .. Select(row, scene, binaries, cgroups), .. row.IsEstablished ? ["--state", "established"] : (string[])[], "--group-by", "unit",
    ];

    private static string[] Select(Row row, Scene scene, CopiedBinaries binaries, CgroupPair? cgroups)
    {
        string[] family = row.Family switch
        {
            "v4" or "dual-4" => ["-4"],
            "v6" or "dual-6" => ["-6"],
            _ => ["-4", "-6"],
        };
        string[] state = row.IsEstablished ? [] : ["--state", row.Connection];
        string[] selector = row.Selector switch
        {
            "uid" => ["--uid", $"{Scene.UidOf(row.Holder)}"],
            "comm" => ["--comm", "subject"],
            "pid" => ["--pid", string.Join(',', scene.Pids)],
            "cgroup" or "cgroup-below" => ["--cgroup", cgroups!.First],
            "unit" => ["--cgroup", cgroups!.Unit],
            "not-cgroup" => ["--not-cgroup", cgroups!.Second],
            "tmpfs" => ["--cgroup", $"{binaries.MountPoint}/same"],
            "list" => ["--only", scene.ListFile],
            _ => [],
        };
        string[] network = row.Namespace switch
        {
            "named" => ["--netns", Home.Other],
            "all" => ["--all-netns"],
            _ => [],
        };
        return [.. family, row.Connection == "syn-sent" ? "-d" : "-s", Scene.Ports, .. state, .. selector, .. network];
    }

    private static string[] Judge(Row row) => row.Time switch
    {
        "none" => [],
        "idle" or "busy" => ["-t", IdleTime],
        "no-ack" => ["--no-ack-for", IdleTime],
        _ => ["--probe", $"{row.ProbeTime.TotalSeconds}s"],
    };

    private static string[] Restrict(Row row, int enough) => row.Quantity switch
    {
        "limit" => ["--limit", $"{enough}"],
        "limit-0" => ["--limit", "0"],
        "keep" => ["--keep", "10000/state"],
        "exclude" => ["--not-uid", $"{Operator}", "--not-comm", "no such name"],
        "matched-for" => ["--matched-for", MatchedFor],
        _ => [],
    };

    private static string[] Act(Row row, bool isDry, int max) =>
    [
        .. row.Method == "grace" ? ["--method", "kill", "--grace", "500ms"] : (string[])["--method", row.Method],
        .. row.Max == "none" ? [] : (string[])["--max", $"{max}"],
        .. isDry ? ["-n"] : (string[])[],
        .. row.IsService ? ["-i", Interval] : (string[])[],
        .. row.Report == "text" ? [] : (string[])["--json"],
        .. row.Report == "verbose" ? ["-v"] : (string[])[],
        "--disable-syslog",
    ];

    private static string[] Become(Row row)
    {
        string more = row.Namespace == "own" ? "" : ",+sys_admin";
        return row.Privilege switch
        {
            "root" => [],
            "net-admin" => User(Operator, "+net_admin"),
            "holders" => User(Operator, "+net_admin,+sys_ptrace,+dac_read_search,+kill" + more),
            "owner" => User(Scene.UidOf(row.Holder), ""),
            "none" => User(Operator, ""),
            // As the systemd unit: only CAP_NET_ADMIN, and no other process in /proc.
            _ =>
            [
                "unshare", "-m", "sh", "-ec", "mount -t proc -o hidepid=2,subset=pid proc /proc; exec \"$@\"", "sh",
                .. User(Operator, "+net_admin"), "--no-new-privs", "--bounding-set", "-all,+net_admin",
            ],
        };
    }

    private static string[] User(int uid, string capabilities)
    {
        string[] grant = capabilities.Length == 0 ? [] : ["--inh-caps", capabilities, "--ambient-caps", capabilities];
        return ["setpriv", "--reuid", $"{uid}", "--regid", $"{uid}", "--clear-groups", .. grant];
    }
}
