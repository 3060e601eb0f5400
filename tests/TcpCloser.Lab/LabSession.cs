namespace TcpCloser.Lab;

/// <summary>Everything that one run of the Lab created: the connections, the decoys, and every process that holds something.</summary>
internal sealed class LabSession
{
    private const int FirstConnectionsShown = 5;
    private readonly LabOptions _options;
    private readonly List<ChildProcess> _decoyProcesses = [];

    internal LabSession(LabOptions options)
    {
        _options = options;
        Machine.ClearAmbientCapabilities();
        Machine.BringLoopbackUp();
        int openFiles = Machine.RaiseOpenFiles();
        Connections = new ConnectionSet(options, "", openFiles);
        if (options.Decoys > 0)
        {
            Decoys = new ConnectionSet(options.ForDecoys(), "decoy-", openFiles);
        }
    }

    internal ConnectionSet Connections { get; }
    internal ConnectionSet? Decoys { get; }
    internal string SubjectRole => _options.State is "syn-sent" or "unaccepted" or "listen" ? "client" : "server";
    internal IEnumerable<ChildProcess> Processes => [.. Connections.Processes, .. Decoys?.Processes ?? [], .. _decoyProcesses];

    internal void Create()
    {
        for (int i = 0; i < _options.DecoyProcesses; i++)
        {
            _decoyProcesses.Add(ChildProcess.Start("decoy-files", "decoy", "--files", $"{_options.DecoyFiles}"));
        }

        foreach (var process in _decoyProcesses)
        {
            LabException.ThrowIf(process.Channel.Ask("open") is null, $"decoy process {process.Pid} ended too early");
        }
        Decoys?.Create();
        Connections.Create();
    }

    internal IEnumerable<string> Announcement()
    {
        foreach (var process in Processes)
        {
            yield return $"pid={process.Pid} role={process.Role}";
        }

        for (int i = 0; i < _options.Ports; i++)
        {
            yield return $"port={_options.PortOf(i)}";
        }

        for (int i = 0; i < Math.Min(Connections.Count, FirstConnectionsShown); i++)
        {
            yield return $"connection={i} server={Connections.Server(i)} client={Connections.Client(i)}";
        }
    }

    /// <summary>The number of ends of a role that were handed over to processes.</summary>
    internal int HandedOver(string role) => role switch
    {
        "server" => _options.HasServerEnds ? _options.Count : 0,
        "client" => _options.HasClientEnds ? _options.Count : 0,
        _ => 2 * _options.Decoys,
    };

    internal void End()
    {
        foreach (var process in Processes)
        {
            process.End();
        }
    }
}
