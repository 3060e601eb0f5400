namespace TcpCloser.KernelTests.Harness;

/// <summary>What the Lab runs in, besides its own network namespace.</summary>
internal sealed record LabSurroundings
{
    /// <summary>A pid namespace and /proc of its own: for whatever sends signals, because a network namespace does not shield /proc.</summary>
    internal bool OwnProcesses { get; init; }

    /// <summary>A mount namespace of its own.</summary>
    internal bool OwnMounts { get; init; }

    /// <summary>A Lab whose namespaces this one shares.</summary>
    internal LabProcess? Within { get; init; }

    /// <summary>Shell commands that prepare the namespaces before the Lab starts in them.</summary>
    internal string Preparation { get; init; } = "";
}
