using TcpCloser.Cli;
using TcpCloser.Diag;
using TcpCloser.Kill;
using TcpCloser.Proc;
using TcpCloser.Report;
using TcpCloser.Rules;

namespace TcpCloser.Run;

/// <summary>Resolves the names in a rule again for each round: network namespaces, processes, cgroups and devices.</summary>
/// <param name="report">Receives warnings and failures.</param>
internal sealed class RuleLookup(Rule rule, Machine machine, RoundReport report)
{
    private readonly List<NetworkNamespace> _namespaces = [];
    private readonly Dictionary<NetworkNamespace, RuleContext> _contexts = [];
    private readonly ProcessLookup _processes = new(rule, machine, report);
    private readonly CgroupLookup _cgroups = new(rule, machine.Cgroups, report);
    private OnlyPorts? _onlyPorts;
    private NamedConnections? _readAgain;
    private bool _wasRead;

    /// <summary>The processes that <c>--pid</c> and <c>--comm</c> select.</summary>
    public IReadOnlyList<int> NamedPids => _processes.NamedPids;

    /// <summary>The connections that <c>--only</c> names; null: there is no such option.</summary>
    public NamedConnections? NamedConnections { get; private set; }

    /// <summary>Resolves the names and returns the network namespaces to search; <see cref="Close"/> closes these.</summary>
    /// <exception cref="SystemCallException">A file of <c>--only</c> can no longer be read.</exception>
    public IReadOnlyList<NetworkNamespace> Find()
    {
        // For the first round, the command line has read the files.
        NamedConnections = rule.NamedConnections is not null && _wasRead ? ReadConnections() : rule.NamedConnections;
        _wasRead = true;
        NamedConnections?.ForgetFound();
        _onlyPorts = NamedConnections is null ? null : new OnlyPorts(NamedConnections);
        if (NamedConnections is { LeftAlone: > 0 and var left })
        {
            report.Message(Level.Info, $"--only skips {left} {(left == 1 ? "record of a connection" : "records of connections")} that the run left alone, such as busy");
        }

        if (NamedConnections is { Count: 0 })
        {
            report.Message(Level.Info, $"--only {string.Join(" and ", rule.Only.ConvertAll(Escape.Text))} names no connection, so nothing matches");
        }

        _cgroups.Find();
        _ = FindNamespaces();
        _processes.Find(_namespaces);
        return _namespaces;
    }

    /// <summary>Finds only the network namespaces, without resolving the other names in the rule.</summary>
    public IReadOnlyList<NetworkNamespace> FindNamespaces()
    {
        if (!rule.NamesNamespaces)
        {
            _namespaces.Add(machine.Own);
            return _namespaces;
        }

        foreach (NamespaceFile file in new NamespaceFinder(rule, machine.Own.File, report.Incomplete).Find())
        {
            _namespaces.Add(new NetworkNamespace(file, machine.Own));
        }

        return _namespaces;
    }

    /// <summary>The names as resolved in one of the namespaces. They are looked up, and warnings are reported, once per round.</summary>
    /// <exception cref="SystemCallException">The names could not be resolved.</exception>
    public RuleContext ContextOf(NetworkNamespace network)
    {
        if (!_contexts.TryGetValue(network, out RuleContext? context))
        {
            context = LookUp(network);
            _contexts.Add(network, context);
        }

        return context;
    }

    private RuleContext LookUp(NetworkNamespace network) =>
        _processes.OwnedInodes is null && _processes.ExcludedInodes is null && !rule.NamesCgroups && NamedConnections is null
            && rule.Interfaces.Count == 0 && !rule.NamesAddressDevices
            ? RuleContext.Empty
            : new RuleContext
            {
                OwnedInodes = _processes.OwnedInodes,
                ExcludedInodes = _processes.ExcludedInodes,
                ExcludesEveryHeld = _processes.ExcludesEveryHeld,
                ExcludesQueued = _processes.ExcludesQueued,
                CgroupIds = _cgroups.Ids,
                CgroupExclusions = _cgroups.Exclusions,
                Interfaces = rule.Interfaces.Count > 0 ? Devices(network) : null,
                AddressDevices = rule.NamesAddressDevices ? AddressDevices(network) : null,
                Only = NamedConnections is null ? null : new OnlyFilter(NamedConnections, _onlyPorts!, Scopes(network)),
            };

    /// <summary>Reads the files of <c>--only</c> again.</summary>
    private NamedConnections ReadConnections()
    {
        _readAgain ??= new NamedConnections();
        _readAgain.Clear();
        foreach (string path in rule.Only)
        {
            if (ConnectionFile.Read(path, isReadAgain: true, _readAgain) is { } error)
            {
                string line = error.Line == 0 ? "" : $", line {error.Line}";
                throw new SystemCallException(new Failure(Operation.ReadConnections, error.Errno, $"'{Escape.Text(path)}'{line}"));
            }
        }

        return _readAgain;
    }

    /// <summary>The scopes of named connections that apply in a namespace: it has their name, and their device exists.</summary>
    private List<OnlyScope> Scopes(NetworkNamespace network)
    {
        var scopes = new List<OnlyScope>();
        for (int i = 0; i < NamedConnections!.Scopes.Count; i++)
        {
            NamedScope scope = NamedConnections.Scopes[i];
            if (scope.Netns is null || scope.Netns.AsSpan().SequenceEqual(network.Name))
            {
                uint device = scope.Device is null ? 0 : network.DeviceIndex(scope.Device);
                if (scope.Device is null || device != 0)
                {
                    scopes.Add(new OnlyScope(i, device));
                }
            }
        }

        return scopes;
    }

    /// <summary>Closes the namespaces; the next round resolves the names again.</summary>
    public void Close()
    {
        foreach (NetworkNamespace network in _namespaces)
        {
            network.Dispose();
        }

        _namespaces.Clear();
        _contexts.Clear();
    }

    private List<uint> Devices(NetworkNamespace network)
    {
        var indexes = new List<uint>();
        foreach (string device in rule.Interfaces)
        {
            uint index = Device(network, device);
            if (index != 0)
            {
                indexes.Add(index);
            }
        }

        return indexes;
    }

    private Dictionary<string, uint> AddressDevices(NetworkNamespace network)
    {
        var indexes = new Dictionary<string, uint>();
        foreach (IReadOnlyList<AddressPrefix> prefixes in (ReadOnlySpan<IReadOnlyList<AddressPrefix>>)
            [rule.Sources, rule.Destinations, rule.NotSources, rule.NotDestinations])
        {
            foreach (AddressPrefix prefix in prefixes)
            {
                if (prefix.Device is { } device && !indexes.ContainsKey(device))
                {
                    indexes.Add(device, Device(network, device));
                }
            }
        }

        return indexes;
    }

    /// <summary>The index of a device; 0, with a warning, if there is no device of that name.</summary>
    private uint Device(NetworkNamespace network, string device)
    {
        uint index = network.DeviceIndex(device);
        if (index == 0)
        {
            string where = network.Name is null ? "" : " " + network.Description;
            report.Message(Level.Warning, $"device {Escape.Text(device)} does not exist{where}, so no connection matches it");
        }

        return index;
    }
}
