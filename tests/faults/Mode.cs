namespace TcpCloser.Faults;

/// <summary>What a run has to do with the matching connections.</summary>
internal enum Purpose
{
    Close,
    Show, // close none, list all
    Other, // close none, and list nothing for each
    Refuse, // close none, because they are more than --max
}

/// <summary>A way to call the program, and the environment that it runs in.</summary>
/// <param name="Name">The name on the command line and in the output.</param>
/// <param name="Arguments">The arguments; <c>{port}</c> stands for the port of the connections, <c>{dir}</c> for a directory.</param>
internal sealed record Mode(string Name, params string[] Arguments)
{
    /// <summary>What the run has to do with the connections.</summary>
    internal Purpose Purpose { get; init; } = Purpose.Close;
    internal int Connections { get; init; } = 3;
    /// <summary>The number of groups of connections in one Lab, each with its own port.</summary>
    internal int Groups { get; init; } = 12;
    internal string[] Lab { get; init; } = [];
    /// <summary>Whether processes are signalled: each run then has its own Lab, and the processes are checked.</summary>
    internal bool Kills { get; init; }
    /// <summary>Whether a second network namespace has connections as well.</summary>
    internal bool OtherNamespace { get; init; }
    internal bool Service { get; init; }
    internal bool Syslog { get; init; }
    /// <summary>Whether connections are selected by names of processes and interfaces, which the program looks up.</summary>
    internal bool SelectsByName { get; init; }
    internal string[] Wrapper { get; init; } = [];
    /// <summary>The option that a build needs for this mode; empty: every build has it.</summary>
    internal string Needs { get; init; } = "";
    /// <summary>How many calls of each kind fail, without <c>--all</c>: the first ones.</summary>
    internal int Occurrences { get; init; } = 2;
    /// <summary>Without <c>--all</c>, calls fail from this one on; empty: from the start of Main.</summary>
    internal string From { get; init; } = "";

    /// <summary>
    /// A mode that makes most of the same calls, and makes them fail with every error; without <c>--all</c>, this one makes each of them fail
    /// with one error and one signal. Empty: none.
    /// </summary>
    internal string VariantOf { get; init; } = "";

    internal bool Json => Arguments.Contains("--json");
    internal bool LogFile => Arguments.Contains("-f");
}
