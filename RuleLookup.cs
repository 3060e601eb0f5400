using System.Runtime.InteropServices;
using System.Text;
using TcpCloser.Cli;
using TcpCloser.Diag;
using TcpCloser.Interop;
using TcpCloser.Proc;
using TcpCloser.Report;

namespace TcpCloser;

/// <summary>Looks up, for each round anew, what the names in a rule mean: network namespaces, processes, cgroups and devices.</summary>
/// <param name="rule">What has the names.</param>
/// <param name="machine">Where they are looked up.</param>
/// <param name="report">Is told what is remarkable, and what could not be looked at.</param>
internal sealed class RuleLookup(Rule rule, Machine machine, RoundReport report)
{
    private readonly List<NetworkNamespace> _namespaces = [];
    private readonly Dictionary<NetworkNamespace, RuleContext> _contexts = [];
    private HashSet<uint>? _ownedInodes;
    private List<ulong>? _cgroupIds;

    /// <summary>The processes that have an id or a name that is asked for.</summary>
    public IReadOnlyList<int> NamedPids { get; private set; } = [];

    /// <summary>The network namespaces to look in; <see cref="Close"/> ends it.</summary>
    public IReadOnlyList<NetworkNamespace> Find()
    {
        _ownedInodes = rule.NamesProcesses ? OwnedInodes() : null;
        _cgroupIds = rule.Cgroups.Count > 0 ? CgroupIds() : null;
        if (!rule.NamesNamespaces)
        {
            _namespaces.Add(machine.Own);
            return _namespaces;
        }

        foreach (NamespaceFile file in new NamespaceFinder(rule, report.Incomplete).Find())
        {
            _namespaces.Add(new NetworkNamespace(file));
        }

        return _namespaces;
    }

    /// <summary>What the names mean in one of the namespaces. It is looked up, and what is remarkable told, once a round.</summary>
    /// <exception cref="SystemCallException">It could not be found out.</exception>
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
        _ownedInodes is null && _cgroupIds is null && rule.Interfaces.Count == 0 && !rule.NamesAddressDevices
            ? RuleContext.Empty
            : new RuleContext
            {
                OwnedInodes = _ownedInodes,
                CgroupIds = _cgroupIds,
                Interfaces = rule.Interfaces.Count > 0 ? Devices(network) : null,
                AddressDevices = rule.NamesAddressDevices ? AddressDevices(network) : null,
            };

    /// <summary>Closes what was found, for the next round to look again. The own namespace has no descriptor and serves every round.</summary>
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

    /// <summary>The index of a device; 0, which is told: there is none of that name.</summary>
    private uint Device(NetworkNamespace network, string device)
    {
        uint index = network.DeviceIndex(device);
        if (index == 0)
        {
            string where = network.Name is null ? "" : " " + network.Description;
            report.Message(Level.Warning, $"no device {Escape.Text(device)}{where}, so nothing of it matches");
        }

        return index;
    }

    private HashSet<uint> OwnedInodes()
    {
        using IProcessTable table = machine.OpenProcesses();
        var processes = new NamedProcesses(table, rule.Pids, rule.Comms);
        if (processes.Pids.Count == 0 && processes.Unreadable.Count == 0)
        {
            report.Message(Level.Warning, "no process has the id or the name that is asked for, so nothing matches");
        }

        if (processes.Unreadable.Count > 0)
        {
            UnreadableProcesses unreadable = processes.Unreadable;
            if (unreadable.Count < processes.Pids.Count)
            {
                report.Incomplete(unreadable.Operation, unreadable.Errno, unreadable.Subject);
            }
            else
            {
                report.Problem(unreadable.Operation, unreadable.Errno, unreadable.Subject);
            }
        }

        NamedPids = processes.Pids;
        return processes.Inodes;
    }

    private List<ulong> CgroupIds()
    {
        var ids = new List<ulong>();
        foreach (string path in rule.Cgroups)
        {
            ulong id = Stat.Inode(Fcntl.AT_FDCWD, Encoding.UTF8.GetBytes(path + '\0'));
            int errno = id == 0 ? Marshal.GetLastPInvokeError() : 0;
            if (id != 0)
            {
                ids.Add(id);
            }
            else if (errno is not (Errno.ENOENT or Errno.ENOTDIR))
            {
                report.Problem(Operation.FindCgroup, errno, Escape.Text(path));
            }
            else
            {
                report.Message(Level.Warning, $"no cgroup {Escape.Text(path)} now, so nothing of it matches");
            }
        }

        return ids;
    }
}
