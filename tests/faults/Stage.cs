using System.Globalization;

namespace TcpCloser.Faults;

/// <summary>The actual state after a run, as seen from both ends by the Lab.</summary>
internal sealed class Truth
{
    /// <summary>The matching connections, as in log lines; whether both ends are alive.</summary>
    internal Dictionary<string, bool> Connections { get; } = [];
    /// <summary>Closed connections that do not match.</summary>
    internal List<string> Others { get; } = [];
    /// <summary>The processes that hold matching connections; whether they are alive.</summary>
    internal Dictionary<int, bool> Processes { get; } = [];
    /// <summary>Processes that hold no matching connection; whether they are alive.</summary>
    internal Dictionary<int, bool> OtherProcesses { get; } = [];

    internal bool IsAnythingClosed => Connections.ContainsValue(false);
    internal bool IsAnythingDone => IsAnythingClosed || Processes.ContainsValue(false);
}

/// <summary>
/// The connections for the runs of a mode: groups, each with its own port, several in a Lab. A group is used until one of its
/// connections is closed. The connections of the other groups match no run and have to survive.
/// </summary>
internal sealed class Stage(Mode mode) : IDisposable
{
    private const int FirstPort = 7000;
    private const int OtherPort = 17000;
    private const int DecoyPort = 27000;
    private readonly List<LabProcess> _labs = [];
    private readonly SyslogDaemon? _syslog = mode.Syslog ? new SyslogDaemon("/dev/log") : null;
    private int _group;
    private bool _isUsed;

    /// <summary>With signals, it must be clear which process holds which connection: one group.</summary>
    private int Groups => mode.Kills ? 1 : mode.Groups;

    internal int Port => FirstPort + _group;
    internal int PortInOtherNamespace => OtherPort + _group;

    /// <summary>Provides a group whose connections are all open.</summary>
    internal void Prepare()
    {
        _syslog?.Receive(); // a full queue would make the program drop lines
        if (_labs.Count > 0 && _isUsed)
        {
            _isUsed = false;
            if (++_group == Groups)
            {
                End();
            }
        }

        if (_labs.Count == 0)
        {
            _group = 0;
            _labs.Add(LabProcess.Start(new LabEnvironment { Enter = [] }, [.. Options(FirstPort), .. mode.Lab]));
            if (mode.OtherNamespace)
            {
                _labs.Add(LabProcess.Start(new LabEnvironment { Enter = ["ip", "netns", "exec", "other"] }, Options(OtherPort)));
            }
        }
    }

    /// <summary>The state of the connections and of the processes.</summary>
    internal Truth Look()
    {
        Truth truth = new();
        foreach (LabConnection connection in _labs.SelectMany(static lab => lab.List()))
        {
            int port = int.Parse(connection.ServerAddress.AsSpan(connection.ServerAddress.LastIndexOf(':') + 1), CultureInfo.InvariantCulture);
            bool isOpen = connection is { Server.View: "alive", Client.View: "alive" };
            if (port == Port || port == PortInOtherNamespace)
            {
                truth.Connections.Add($"{connection.ServerAddress} -> {connection.ClientAddress}", isOpen);
                _isUsed |= !isOpen;
            }
            else if (!isOpen && port % OtherPort % FirstPort > _group)
            {
                truth.Others.Add($"{connection}");
            }
        }

        foreach (LabHolder holder in mode.Kills ? _labs[0].Holders() : [])
        {
            _isUsed |= !holder.IsAlive;
            (holder.Role == "server" ? truth.Processes : truth.OtherProcesses).Add(holder.Pid, holder.IsAlive);
        }

        return truth;
    }

    /// <summary>Makes the next run use other connections.</summary>
    internal void GiveUp() => _isUsed = true;

    public void Dispose()
    {
        End();
        _syslog?.Dispose();
    }

    private string[] Options(int port)
    {
        string[] kill = ["--processes", "2", "--client-process", "--decoys", "1", "--decoy-port", $"{DecoyPort}"];
        return ["--port", $"{port}", "--ports", $"{Groups}", "--count", $"{Groups * mode.Connections}", .. mode.Kills ? kill : []];
    }

    private void End()
    {
        _labs.ForEach(static lab => lab.Dispose());
        _labs.Clear();
    }
}
