namespace TcpCloser.Faults;

/// <summary>What the Lab's ends saw after a run.</summary>
internal sealed class Truth
{
    /// <summary>The connections that match, as log lines name them; whether both ends live.</summary>
    internal Dictionary<string, bool> Connections { get; } = [];

    /// <summary>Connections that do not match and do not live.</summary>
    internal List<string> Others { get; } = [];

    /// <summary>The processes that hold the connections; whether they live.</summary>
    internal Dictionary<int, bool> Processes { get; } = [];

    /// <summary>Processes that hold none of what matches.</summary>
    internal Dictionary<int, bool> OtherProcesses { get; } = [];

    internal bool IsAnythingClosed => Connections.ContainsValue(false);

    internal bool IsAnythingDone => IsAnythingClosed || Processes.ContainsValue(false);
}
