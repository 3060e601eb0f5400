namespace TcpCloser.Matrix;

/// <summary>What one Lab has to create: a group of connections on one listening address and port.</summary>
internal sealed record LabPlan(string Name)
{
    /// <summary>The number of bytes sent to a deaf peer, which stay unacknowledged.</summary>
    private const int Outstanding = 2000;
    internal int Address { get; init; }
    internal int Port { get; init; }
    /// <summary>"v4", "v6" or "dual": IPv4 on an IPv6 socket.</summary>
    internal string Family { get; init; } = "v4";
    /// <summary>A level of the factor "connection".</summary>
    internal string Connection { get; init; } = "established";
    /// <summary>A level of the factor "holder".</summary>
    internal string Holder { get; init; } = "root";
    internal int Count { get; init; } = 1;
    /// <summary>Whether data is exchanged all the time.</summary>
    internal bool Busy { get; init; }
    /// <summary>Whether the peer drops everything that arrives.</summary>
    internal bool Deaf { get; init; }
    /// <summary>Whether outstanding data is not acknowledged by the peer.</summary>
    internal bool Unacknowledged { get; init; }
    internal bool IgnoreTerm { get; init; }
    internal int Uid { get; init; }
    /// <summary>The name of the processes.</summary>
    internal string Comm { get; init; } = "subject";
    internal string? Cgroup { get; init; }
    /// <summary>Whether it is in the second network namespace.</summary>
    internal bool Other { get; init; }

    internal bool TwoSubflows => Connection is "mptcp-two" or "mptcp-busy";

    /// <summary>Whether the selected socket is the client's.</summary>
    internal bool IsClientEnd => Connection == "syn-sent";

    /// <summary>Whether a process has the socket open and sees what happens to it.</summary>
    internal bool HasVisibleEnds => Holder != "none" && Connection is not ("time-wait" or "listen");

    /// <summary>The state in which the kernel lists the socket.</summary>
    internal string KernelState => Connection.StartsWith("mptcp", StringComparison.Ordinal) ? "established" : Connection;

    /// <summary>The Lab's role of the processes that have the socket open.</summary>
    internal string HolderRole => Connection switch
    {
        "listen" => "listener",
        "syn-sent" => "client",
        _ => "server",
    };

    internal string ServerEnd => KernelSocket.NameEnd(IPAddress.Parse(Scene.Address(Address, Family == "v6")), Port);

    /// <summary>The command line that starts the Lab.</summary>
    internal string[] Command(string lab, string[] enter)
    {
        // The Lab itself, but none of its processes that hold sockets, needs the capability to make an end deaf, which some kernels
        // require.
        string[] filter = Deaf || Connection == "syn-sent" ? ["--inh-caps", "+net_admin", "--ambient-caps", "+net_admin"] : [];
        string[] asUser = Uid == 0 ? [] : ["setpriv", "--reuid", $"{Uid}", "--regid", $"{Uid}", "--clear-groups", .. filter];
        string[] inner = Holder == "inner" ? ["unshare", "-p", "-f", "--mount-proc", "--kill-child"] : [];
        List<string> options =
        [
            "--client-process", "--processes", $"{Count}", "--count", $"{Count}", "--port", $"{Port}", "--address", Scene.Address(Address, Family == "v6"),
            "--process-name", Convert.ToHexString(Encoding.ASCII.GetBytes(Comm)),
            // The client's socket is an IPv6 socket only if it is the selected one.
            "--family", Family == "dual" && IsClientEnd ? "mapped" : Family,
            "--state", Holder == "none" && Connection == "established" ? "unaccepted" : KernelState,
            "--thread", Holder is "own-table" or "first-ended" ? Holder : "first",
        ];
        (bool IsGiven, string[] Words)[] more =
        [
            (Connection.StartsWith("mptcp", StringComparison.Ordinal), ["--mptcp"]),
            (Holder == "none" && Connection == "fin-wait-2", ["--orphan"]),
            (Busy || Connection == "mptcp-busy", ["--busy", $"{Count}"]),
            (Deaf, ["--deaf"]),
            (Unacknowledged, ["--unsent", $"{Outstanding}"]),
            (IgnoreTerm, ["--ignore-term"]),
        ];
        options.AddRange(more.Where(static option => option.IsGiven).SelectMany(static option => option.Words));
        return [.. CgroupPair.Join(Cgroup), .. enter, .. inner, .. asUser, lab, "hold", .. options];
    }
}
