namespace TcpCloser.Lab.Making;

/// <summary>
/// All connections of one kind (the tested ones, or the decoys) with the processes that hold them. The Lab creates each connection
/// itself, because only a process with both ends can bring it into its state, then hands the ends over and closes its own copies.
/// </summary>
internal sealed class ConnectionSet
{
    private readonly LabOptions _options;
    private readonly string _rolePrefix;
    private readonly List<ChildProcess> _processes = [];
    private readonly List<ChildProcess> _sharers = [];
    private readonly Endpoint[] _servers;
    private readonly Endpoint[] _clients;
    private readonly int _openFiles;

    internal ConnectionSet(LabOptions options, string rolePrefix, int openFiles)
    {
        _options = options;
        _rolePrefix = rolePrefix;
        _openFiles = openFiles;
        _servers = new Endpoint[options.Count];
        _clients = new Endpoint[options.Count];
        ListenerFds = Listeners.Open(options);
    }

    /// <summary>The listening sockets; empty once they were handed over to a process of their own.</summary>
    internal int[] ListenerFds { get; private set; }
    /// <summary>The process that has the listening sockets if these are what is tested.</summary>
    internal ChildProcess? ListenerProcess { get; private set; }

    internal IReadOnlyList<ChildProcess> Processes => _processes;
    internal string ServerRole => _rolePrefix + "server";
    internal string ClientRole => _rolePrefix + "client";
    internal Endpoint Server(int index) => _servers[index];
    internal Endpoint Client(int index) => _clients[index];
    internal int Count => _options.Count;

    /// <summary>Creates everything; returns when the kernel shows every connection in its state and every process has its ends.</summary>
    internal void Create()
    {
        var servers = StartHolders();
        var clients = _options.ClientProcess
            ? HolderPlan.Start(ClientRole, _options.Count, 1, 1, _openFiles, StartHolder)
            : servers;
        if (_options.State == "syn-sent")
        {
            Array.ForEach(ListenerFds, Tcp.Deafen);
        }

        Connector connector = new(_options, ListenerFds);
        for (int first = 0; first < _options.Count;)
        {
            var (server, serverEnd) = servers.For(first);
            var (client, clientEnd) = clients.For(first);
            int count = Math.Min(Math.Min(serverEnd, clientEnd) - first, DescriptorSender.MaxDescriptors);
            var pairs = connector.Create(first, count);
            StateMaker.Prepare(_options, pairs);
            HandOver(pairs, server, client);
            first += count;
        }
        StateMaker.AwaitUnowned(_options, ListenerFds);
        Block(connector);
        if (_options.State == "listen")
        {
            HandOverListeners();
        }

        foreach (var process in _processes)
        {
            Require(process, "settle");
        }
    }

    private HolderPlan StartHolders()
    {
        int perConnection = _options.ClientProcess ? 1 : 2;
        var plan = HolderPlan.Start(ServerRole, _options.Count, _options.Processes, perConnection, _openFiles, StartHolder);
        for (int i = 0; i < _options.Sharers; i++)
        {
            _sharers.AddRange(HolderPlan.Start("sharer", 1, 1, 1, _openFiles, StartHolder).Processes);
            LabException.ThrowIf(_options.Count > _openFiles - 200, $"--sharers: one process cannot hold {_options.Count} sockets here");
        }
        return plan;
    }

    private ChildProcess StartHolder(string role)
    {
        string[] name = _options.ProcessName.Length == 0 ? [] : ["--process-name", _options.ProcessName];
        var process = ChildProcess.Start(
            role,
            ["holder", "--every", $"{_options.EveryMs}", "--on-term", _options.OnTerm, "--talker", _options.Talker, "--thread", _options.Thread, .. name]);
        _processes.Add(process);
        return process;
    }

    private void HandOver(List<Pair> pairs, ChildProcess server, ChildProcess client)
    {
        int firstBusy = _options.Count - _options.Busy;
        int first = pairs[0].Index;
        foreach (var pair in pairs)
        {
            _servers[pair.Index] = pair.ServerAddress;
            _clients[pair.Index] = pair.ClientAddress;
        }
        if (_options.HasServerEnds)
        {
            int[] ends = [.. pairs.ConvertAll(pair => pair.Server)];
            Require(server, $"add {ServerRole} {first} {firstBusy}", ends);
            foreach (var sharer in _sharers)
            {
                Require(sharer, $"add sharer {first} {_options.Count}", ends);
            }

            pairs.ForEach(pair => pair.CloseServer());
        }
        if (_options.HasClientEnds)
        {
            Require(client, $"add {ClientRole} {first} {firstBusy}", [.. pairs.ConvertAll(pair => pair.Client)]);
            pairs.ForEach(pair => pair.CloseClient());
        }
    }

    private void HandOverListeners()
    {
        ListenerProcess = StartHolder("listener");
        Require(ListenerProcess, $"add listener 0 {ListenerFds.Length}", ListenerFds);
        Array.ForEach(ListenerFds, fd => _ = Libc.Close(fd));
        ListenerFds = [];
    }

    private void Block(Connector connector)
    {
        if (_options.Blocked == "none")
        {
            return;
        }

        string request = $"block {_options.Blocked} {ServerRole}";
        if (_options.Blocked == "connect")
        {
            request = $"block connect {ClientRole}";
            for (int i = 0; i < _options.Ports; i++)
            {
                var target = connector.Target(i);
                request += " " + Convert.ToHexString(MemoryMarshal.AsBytes(new ReadOnlySpan<SockAddress>(in target)));
            }
        }
        foreach (var process in _processes)
        {
            // "3 127.0.0.1:40312": a client that connects only now gets its address only now.
            foreach (string line in Require(process, request))
            {
                string[] words = line.Split(' ');
                _clients[int.Parse(words[0], CultureInfo.InvariantCulture)] = Endpoint.Parse(words[1]);
            }
        }
    }

    private static List<string> Require(ChildProcess process, string request, ReadOnlySpan<int> descriptors = default)
        => process.Channel.Ask(request, descriptors)
            ?? throw new LabException($"process {process.Pid} ({process.Role}) ended too early");
}
