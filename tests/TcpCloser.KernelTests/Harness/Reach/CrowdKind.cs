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
