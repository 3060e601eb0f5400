namespace TcpCloser.KernelTests.Harness.Reach;

/// <summary>One kind of connection in the crowd, and the Lab's options for it.</summary>
internal sealed record CrowdKind(string[] Options)
{
    internal int Count { get; init; } = 3;
    internal uint Uid { get; init; }
    /// <summary>The name of the processes that hold them; empty: the Lab's default.</summary>
    internal string Comm { get; init; } = "";
    internal string Device { get; init; } = "";
    internal uint Mark { get; init; }
    internal string Cgroup { get; init; } = "";
    /// <summary>The state of server ends without a descriptor; empty: there are none.</summary>
    internal string ServerWithoutOwner { get; init; } = "";

    internal bool ServerIsV6 => Value("--family") is "v6" or "dual" or "mapped";
    internal bool ClientIsV6 => Value("--family") is "v6" or "mapped";

    /// <summary>Whether the client has sent its FIN, whose acknowledgement may take a moment.</summary>
    internal bool ClientEndsInFinWait2 => Value("--state") is "close-wait" or "last-ack" or "closing";

    private string Value(string option) => Array.IndexOf(Options, option) is >= 0 and var at ? Options[at + 1] : "";
}

/// <summary>The kinds of connection in the crowd. Those that end by themselves after a minute come last.</summary>
internal static class CrowdKinds
{
    internal static CrowdKind[] All { get; } =
    [
        new(["--port", "5000"]),
        new(["--port", "5010", "--family", "v6"]) { Uid = 1001, Comm = "alpha" },
        new(["--port", "5020", "--family", "dual"]) { Uid = 65534, Comm = "beta" },
        new(["--port", "5030", "--family", "mapped", "--ports", "3"]) { Cgroup = "a" },
        new(["--port", "5040", "--address", "127.3.0.1", "--ports", "2", "--port-step", "7"]) { Uid = 1001, Cgroup = "b" },
        new(["--port", "5050", "--address", "127.3.0.9", "--family", "dual", "--mark", "16"]) { Mark = 16, Comm = "alpha" },
        new(["--port", "5060", "--address", "fd00::1", "--family", "v6", "--mark", "17"]) { Mark = 17, Cgroup = "a" },
        new(["--port", "5070", "--address", "fd00:0:1::1", "--family", "v6"]) { Comm = "two words" },
        new(["--port", "5080", "--bind-device", "lo"]) { Device = "lo" },
        new(["--port", "5090", "--bind-device", "lo", "--family", "v6", "--mark", "32"]) { Device = "lo", Mark = 32 },
        new(["--port", "5100", "--rebind-device", "v0", "--sharers", "1"]) { Device = "v0", Comm = "beta" },
        new(["--port", "5110", "--rebind-device", "v1", "--family", "mapped", "--mark", "273"]) { Device = "v1", Mark = 273, Cgroup = "b" },
        new(["--port", "5120", "--rebind-device", "v0", "--family", "v6"]) { Device = "v0", Cgroup = "a" },
        new(["--port", "5130", "--state", "close-wait", "--family", "dual"]) { Uid = 1001 },
        new(["--port", "5140", "--state", "close-wait", "--family", "v6", "--mark", "17"]) { Mark = 17 },
        new(["--port", "5150", "--state", "last-ack"]) { Comm = "alpha" },
        new(["--port", "5160", "--state", "closing", "--family", "v6"]),
        new(["--port", "5170", "--state", "fin-wait-1", "--family", "mapped"]) { Uid = 65534 },
        new(["--port", "5180", "--state", "unaccepted"]) { ServerWithoutOwner = "established" },
        new(["--port", "5190", "--state", "unaccepted", "--family", "dual", "--mark", "16"]) { Mark = 16, ServerWithoutOwner = "established" },
        new(["--port", "5200", "--state", "syn-sent"]) { Comm = "beta" },
        new(["--port", "5210", "--state", "syn-sent", "--family", "v6", "--mark", "32"]) { Mark = 32 },
        new(["--port", "5220", "--state", "fin-wait-2", "--family", "dual", "--orphan"]) { Cgroup = "b", ServerWithoutOwner = "fin-wait-2" },
        new(["--port", "5230", "--state", "time-wait", "--mark", "17"]) { Mark = 17, ServerWithoutOwner = "time-wait" },
        new(["--port", "5240", "--state", "time-wait", "--family", "dual"]) { Uid = 1001, ServerWithoutOwner = "time-wait" },
        new(["--port", "5250", "--state", "time-wait", "--family", "v6"]) { Cgroup = "a", ServerWithoutOwner = "time-wait" },
    ];
}
