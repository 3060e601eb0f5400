namespace TcpCloser.KernelTests.Harness;

/// <summary>What the Lab has around it, in addition to its own network namespace.</summary>
internal sealed record LabEnvironment
{
    /// <summary>Own pid namespace and /proc: for tests that send signals, because a network namespace does not isolate /proc.</summary>
    internal bool OwnProcesses { get; init; }

    /// <summary>Own mount namespace.</summary>
    internal bool OwnMounts { get; init; }

    /// <summary>The command prefix that enters existing namespaces; null: the Lab gets new ones.</summary>
    internal string[]? Enter { get; init; }

    /// <summary>Shell commands that run in the namespaces before the Lab starts.</summary>
    internal string Preparation { get; init; } = "";
}
