namespace TcpCloser.Matrix;

/// <summary>A property that differs from run to run, with its possible levels.</summary>
internal sealed record Factor(string Name, params string[] Levels);

/// <summary>
/// All factors, and the combinations that are impossible. A new option gets a factor or a level here, its arguments in <see
/// cref="ToolCommand"/>, and its meaning in <see cref="Model"/>.
/// </summary>
internal static class Factors
{
    internal static readonly Factor[] All =
    [
        new("method", "auto", "destroy", "disconnect", "kill", "grace", "keepalive"),
        new("family", "v4", "v6", "dual-4", "dual-6", "dual-46"),
        new("connection", "established", "close-wait", "fin-wait-2", "syn-sent", "listen", "time-wait", "mptcp", "mptcp-two", "mptcp-busy"),
        new("holder", "root", "user", "nobody", "none", "own-table", "first-ended", "inner", "outer"),
        new("privilege", "root", "net-admin", "holders", "owner", "none", "unit"),
        new("run", "once", "dry", "dry-once", "service", "dry-service"),
        new("namespace", "own", "named", "all"),
        new("time", "none", "idle", "busy", "no-ack", "probe-3s", "probe-5s", "probe-10s"),
        new("max", "none", "enough", "small"),
        new("quantity", "none", "limit", "limit-0", "keep", "exclude", "matched-for"),
        new("selector", "port", "uid", "comm", "pid", "cgroup", "cgroup-below", "unit", "not-cgroup", "tmpfs", "list"),
        new("report", "text", "json", "verbose"),
    ];

    /// <summary>Triples that determine whether and how something is closed.</summary>
    internal static readonly string[][] OutcomeTriples =
    [
        ["method", "connection", "holder"], ["method", "connection", "privilege"], ["method", "holder", "privilege"], ["connection", "holder", "privilege"],
    ];

    /// <summary>A triple that determines what must not be closed.</summary>
    internal static readonly string[][] SkippingTriples = [["method", "connection", "time"]];

    /// <summary>Triples that determine what is reported about connections that are not closed.</summary>
    internal static readonly string[][] ReportTriples =
    [
        ["method", "privilege", "run"], ["method", "holder", "run"], ["method", "connection", "run"], ["method", "privilege", "report"],
    ];

    /// <summary>Impossible combinations of levels. <c>!</c> before a list means all other levels.</summary>
    private static readonly (string Factor, string Levels)[][] s_impossible =
    [
        // No process has an unaccepted connection, an orphan or TIME_WAIT open; sockets in other states have a process.
        [("connection", "time-wait"), ("holder", "!none")],
        [("holder", "none"), ("connection", "!established,fin-wait-2,time-wait")],

        // Such a socket has no process and no user by which it could be selected.
        [("holder", "none"), ("selector", "!port,tmpfs,list")],

        // The tool runs as the holder's own user, without any capability.
        [("privilege", "owner"), ("holder", "!user,nobody,own-table,first-ended")],

        // The process has no pid in the tool's pid namespace.
        [("holder", "outer"), ("selector", "pid")],

        // Keepalive on a listener is a default for accepted sockets: the documents do not say whether that is intended.
        [("method", "keepalive"), ("connection", "listen")],

        // Keepalive closes nothing that could be limited, and a dry service shows other connections in its first rounds.
        [("method", "keepalive"), ("quantity", "limit,limit-0")],
        [("quantity", "matched-for"), ("run", "!service")],

        // No data is exchanged in these states, or without a process.
        [("time", "busy"), ("connection", "!established,mptcp,mptcp-two,mptcp-busy")],
        [("time", "busy"), ("holder", "none")],
    ];

    /// <summary>Combinations in which nothing matches, so that a row with one of them tests little else.</summary>
    private static readonly (string Factor, string Levels)[][] s_nothingMatches =
    [
        [("selector", "tmpfs")],
        [("selector", "comm,pid"), ("privilege", "net-admin,none,unit")],
        [("selector", "comm,pid"), ("holder", "outer")],
        [("namespace", "!own"), ("privilege", "!root,holders")],
        [("quantity", "exclude"), ("privilege", "unit")],
        [("quantity", "exclude"), ("holder", "outer")],
    ];

    /// <summary>
    /// Combinations in which matching connections have to be skipped: there is no clock, or no proof that the peer is
    /// dead.
    /// </summary>
    private static readonly (string Factor, string Levels)[][] s_nothingIdle =
    [
        [("time", "idle,busy"), ("connection", "syn-sent,listen,time-wait,mptcp-busy")],
        [("time", "idle"), ("connection", "fin-wait-2"), ("holder", "none")],
        [("time", "no-ack,probe-3s,probe-5s,probe-10s"), ("connection", "!established")],
        [("time", "no-ack,probe-3s,probe-5s,probe-10s"), ("holder", "none")],
        [("time", "probe-3s,probe-5s,probe-10s"), ("holder", "outer")],
        [("time", "probe-3s,probe-5s,probe-10s"), ("privilege", "!root,holders")],
    ];

    /// <summary>Combinations in which something is to be closed but cannot be.</summary>
    private static readonly (string Factor, string Levels)[][] s_nothingClosed =
    [
        [("run", "dry,dry-service")],
        [("max", "small")],
        [("quantity", "limit-0,keep")],

        // No privilege, or no process that can be found.
        [("method", "destroy"), ("privilege", "owner,none")],
        [("method", "auto"), ("privilege", "none")],
        [("method", "!auto,destroy"), ("privilege", "net-admin,none,unit")],
        [("method", "!auto,destroy"), ("holder", "none,outer")],

        // MPTCP can be closed only through its socket.
        [("connection", "mptcp,mptcp-two,mptcp-busy"), ("method", "destroy")],
        [("connection", "mptcp,mptcp-two,mptcp-busy"), ("privilege", "net-admin,none,unit")],
        [("connection", "mptcp,mptcp-two,mptcp-busy"), ("holder", "outer")],
    ];

    private static readonly bool[][][] s_impossibleLevels = [.. s_impossible.Select(Expand)];
    private static readonly bool[][][] s_nothingMatchesLevels = [.. s_nothingMatches.Select(Expand)];
    private static readonly bool[][][] s_nothingIdleLevels = [.. s_nothingIdle.Select(Expand)];
    private static readonly bool[][][] s_nothingClosedLevels = [.. s_nothingClosed.Select(Expand)];

    internal static int IndexOf(string factor) => Array.FindIndex(All, candidate => candidate.Name == factor);

    /// <summary>Whether a row can exist; -1 stands for a level that is not set yet.</summary>
    internal static bool IsPossible(int[] levels) => LacksAll(s_impossibleLevels, levels);

    /// <summary>Whether a row can exist in which something is to be closed, whether that is possible or not.</summary>
    internal static bool HasCandidates(int[] levels)
        => IsPossible(levels) && LacksAll(s_nothingMatchesLevels, levels) && LacksAll(s_nothingIdleLevels, levels);

    /// <summary>Whether a row can exist in which only clocks or peers prevent that matching connections are closed.</summary>
    internal static bool IsDangerous(int[] levels)
        => IsPossible(levels) && LacksAll(s_nothingMatchesLevels, levels) && LacksAll(s_nothingClosedLevels, levels);

    /// <summary>Whether a row can exist in which something is closed.</summary>
    internal static bool CanClose(int[] levels) => HasCandidates(levels) && IsDangerous(levels);

    /// <summary>Whether the levels contain none of the combinations.</summary>
    private static bool LacksAll(bool[][][] combinations, int[] levels) => !Array.Exists(combinations, combination => IsPartOf(combination, levels));

    private static bool IsPartOf(bool[][] combination, int[] levels)
    {
        for (int factor = 0; factor < levels.Length; factor++)
        {
            if (combination[factor].Length > 0 && (levels[factor] < 0 || !combination[factor][levels[factor]]))
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>For each factor that a combination names, which of its levels are included; empty for the others.</summary>
    private static bool[][] Expand((string Factor, string Levels)[] combination)
    {
        bool[][] levels = [.. All.Select(static _ => Array.Empty<bool>())];
        foreach ((string name, string list) in combination)
        {
            string[] known = All[IndexOf(name)].Levels;
            string[] named = list.TrimStart('!').Split(',');
            levels[IndexOf(name)] = named.Except(known).Any()
                ? throw new InvalidOperationException($"{name} has no level '{list}'")
                : Array.ConvertAll(known, level => named.Contains(level) != list.StartsWith('!'));
        }

        return levels;
    }
}
