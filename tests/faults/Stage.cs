using System.Globalization;

namespace TcpCloser.Faults;

/// <summary>
/// The connections that the runs of a mode find: groups with a port each, several to a Lab. A group serves as long as nothing of it
/// was closed; those of the other groups match no run, and have to live.
/// </summary>
internal sealed class Stage(Mode mode) : IDisposable
{
    private const int FirstPort = 7000;
    private const int OtherPort = 17000;
    private const int DecoyPort = 27000;

    private readonly List<Lab> _labs = [];
    private int _group;
    private bool _isUsed;

    /// <summary>Which process holds what has to be plain where processes are signalled.</summary>
    private int Groups => mode.Kills ? 1 : mode.Groups;

    internal int Port => FirstPort + _group;

    internal int PortInOtherNamespace => OtherPort + _group;

    /// <summary>Sees to it that a whole group stands.</summary>
    internal void Prepare()
    {
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
            _labs.Add(Lab.Start([], [.. Options(FirstPort), .. mode.Lab]));
            if (mode.OtherNamespace)
            {
                _labs.Add(Lab.Start(["ip", "netns", "exec", "other"], Options(OtherPort)));
            }
        }
    }

    /// <summary>What became of the connections and of the processes.</summary>
    internal Truth Look()
    {
        Truth truth = new();
        foreach (string line in _labs.SelectMany(lab => lab.Ask("list")))
        {
            Dictionary<string, string> words = Words(line);
            string server = words["server"];
            int port = int.Parse(server.AsSpan(server.LastIndexOf(':') + 1), CultureInfo.InvariantCulture);
            bool isOpen = words["server-end"] == "alive" && words["client-end"] == "alive";
            if (port == Port || port == PortInOtherNamespace)
            {
                truth.Connections.Add($"{server} -> {words["client"]}", isOpen);
                _isUsed |= !isOpen;
            }
            else if (!isOpen && port % OtherPort % FirstPort > _group)
            {
                truth.Others.Add(line);
            }
        }

        foreach (string line in mode.Kills ? _labs[0].Ask("processes") : [])
        {
            Dictionary<string, string> words = Words(line);
            int pid = int.Parse(words["pid"], CultureInfo.InvariantCulture);
            bool isAlive = words["state"] == "alive";
            _isUsed |= !isAlive;
            (words["role"] == "server" ? truth.Processes : truth.OtherProcesses).Add(pid, isAlive);
        }

        return truth;
    }

    /// <summary>The next run is to find other connections, whatever became of these.</summary>
    internal void GiveUp() => _isUsed = true;

    public void Dispose() => End();

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

    private static Dictionary<string, string> Words(string line)
        => line.Split(' ').Where(static word => word.Contains('=', StringComparison.Ordinal)).Select(static word => word.Split('=', 2))
            .ToDictionary(static pair => pair[0], static pair => pair[1]);
}
