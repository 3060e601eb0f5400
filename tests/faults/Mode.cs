namespace TcpCloser.Faults;

/// <summary>One way to call the program, with what it finds there.</summary>
/// <param name="Name">What it is called on the command line and in the report.</param>
/// <param name="Arguments">The program's; <c>{port}</c> is the port of the connections, <c>{dir}</c> a folder for files.</param>
internal sealed record Mode(string Name, params string[] Arguments)
{
    /// <summary>What the run is to do with the connections.</summary>
    internal Purpose Purpose { get; init; } = Purpose.Close;

    /// <summary>How many connections a run finds.</summary>
    internal int Connections { get; init; } = 3;

    /// <summary>How many such groups of connections, each with a port of its own, one Lab makes.</summary>
    internal int Groups { get; init; } = 12;

    /// <summary>More for the Lab.</summary>
    internal string[] Lab { get; init; } = [];

    /// <summary>Whether processes are signalled: each run then has a Lab of its own, and pids are looked at.</summary>
    internal bool Kills { get; init; }

    /// <summary>Whether further connections stand in a second network namespace.</summary>
    internal bool OtherNamespace { get; init; }

    /// <summary>Whether it goes on until a signal ends it.</summary>
    internal bool Service { get; init; }

    /// <summary>Whether a syslog daemon listens.</summary>
    internal bool Syslog { get; init; }

    /// <summary>Whether processes and devices are named, which the kernel is asked for.</summary>
    internal bool SelectsByName { get; init; }

    /// <summary>A command in front of the program.</summary>
    internal string[] Wrapper { get; init; } = [];

    /// <summary>The option without which a build does not know this mode; empty: all do.</summary>
    internal string Needs { get; init; } = "";

    /// <summary>Of how many calls of one kind the first ones fail, where not all are asked for.</summary>
    internal int Occurrences { get; init; } = 2;

    /// <summary>Where not all are asked for, only the calls from this one on fail; empty: from the beginning of Main.</summary>
    internal string From { get; init; } = "";

    internal bool Json => Arguments.Contains("--json");

    internal bool LogFile => Arguments.Contains("-f");
}
