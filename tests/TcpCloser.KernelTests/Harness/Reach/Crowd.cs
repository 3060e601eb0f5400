namespace TcpCloser.KernelTests.Harness.Reach;

/// <summary>
/// Connections of every kind side by side in one namespace: families, addresses, ports, states, owners, names, devices, marks and
/// cgroups in mixed combinations; with the properties of each socket, as the test knows them from how it was created.
/// </summary>
internal sealed class Crowd : IDisposable
{
    /// <summary>The devices that sockets are bound to: lo, and both ends of a veth pair, once the sockets are connected.</summary>
    internal static readonly string[] Devices = ["lo", "v0", "v1"];

    private const string Preparation = """
        ip link set lo up
        ip addr add fd00::1/128 dev lo
        ip addr add fd00:0:1::1/128 dev lo
        ip link add v0 type veth peer name v1
        mount -t tmpfs none /mnt
        cp "$1" /mnt/tcp-closer-lab
        """;

    private readonly List<LabProcess> _labs = [];
    private readonly List<CrowdSocket> _sockets = [];
    private readonly CgroupTree? _cgroups;

    private Crowd()
    {
        try
        {
            _labs.Add(LabProcess.Start(new LabEnvironment { OwnProcesses = true, Preparation = Preparation }, "--count", "0", "--port", "4999"));
            _cgroups = CgroupTree.TryCreate();
            foreach (var kind in CrowdKinds.All)
            {
                Add(kind);
            }
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>The Lab in whose namespaces the tool runs; it holds none of the connections.</summary>
    internal LabProcess Base => _labs[0];

    internal IReadOnlyList<CrowdSocket> Sockets => _sockets;

    /// <summary>The directories of the cgroups by their names; empty if the machine has no usable cgroup2.</summary>
    internal IReadOnlyDictionary<string, string> Cgroups => _cgroups?.Paths ?? new Dictionary<string, string>();

    /// <summary>The ids, in the tool's pid namespace, of the processes that hold connections.</summary>
    internal int[] Pids => [.. _sockets.SelectMany(socket => socket.Owners).Select(owner => owner.Pid).Distinct().Order()];

    internal static Crowd Create() => new();

    public void Dispose()
    {
        _labs.AsEnumerable().Reverse().ToList().ForEach(lab => lab.Dispose());
        _cgroups?.Dispose();
    }

    private void Add(CrowdKind kind)
    {
        // A user namespace has only one user, and joining a cgroup also needs root.
        uint uid = Namespaces.NeedUserNamespace ? 0 : kind.Uid;
        string cgroup = _cgroups is null ? "" : kind.Cgroup;
        // Every user can execute the copy of the Lab.
        string asUser = uid == 0 ? "" : $"shift; set -- setpriv --reuid {uid} --clear-groups /mnt/tcp-closer-lab \"$@\"";
        string intoCgroup = cgroup.Length == 0 ? "" : $"echo $$ >'{Cgroups[cgroup]}/cgroup.procs'";
        string[] name = kind.Comm.Length == 0 ? [] : ["--process-name", Convert.ToHexString(Encoding.UTF8.GetBytes(kind.Comm))];
        var lab = LabProcess.Start(
            new LabEnvironment { Enter = Base.Inside(), OwnProcesses = true, Preparation = $"{intoCgroup}\n{asUser}" },
            ["--count", $"{kind.Count}", "--client-process", .. kind.Options, .. name]);
        _labs.Add(lab);
        if (kind.ClientEndsInFinWait2)
        {
            Until.True(() => lab.List().TrueForAll(connection => connection.Client.Tcp == "fin-wait-2"), $"the acknowledged FINs of {string.Join(' ', kind.Options)}");
        }

        string comm = kind.Comm.Length == 0 ? "tcp-closer-lab" : kind.Comm;
        foreach (var connection in lab.List())
        {
            AddEnd(connection.ServerAddress, connection.ClientAddress, Tcp(connection.Server, kind.ServerWithoutOwner), kind.ServerIsV6, "server", connection.Server.View == "none");
            AddEnd(connection.ClientAddress, connection.ServerAddress, Tcp(connection.Client, ""), kind.ClientIsV6, "client", connection.Client.View == "none");
        }

        void AddEnd(string local, string remote, string state, bool isV6, string role, bool isOrphan)
        {
            if (state.Length == 0)
            {
                return;
            }

            CrowdOwner[] owners = isOrphan ? [] : [.. lab.Processes(role).Concat(role == "server" ? lab.Processes("sharer") : []).Select(pid => new CrowdOwner(pid, comm))];
            // The remains of a closed connection (FIN_WAIT2 and TIME_WAIT without a descriptor) keep their mark, but not their cgroup.
            bool remnant = isOrphan && state is ("time-wait" or "fin-wait-2");
            _sockets.Add(new CrowdSocket(local, remote, isV6, state, uid, owners, kind.Device, kind.Mark, remnant ? "" : cgroup));
        }
    }

    private static string Tcp(LabEnd end, string withoutOwner) => end.View == "none" ? withoutOwner : end.Tcp;
}
