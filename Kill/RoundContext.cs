using TcpCloser.Diag;
using TcpCloser.Proc;
using TcpCloser.Rules;

namespace TcpCloser.Kill;

/// <summary>What the steps of a round share.</summary>
internal sealed class RoundContext(Rule rule, Machine machine, IResultSink report)
{
    public Rule Rule { get; } = rule;

    public Machine Machine { get; } = machine;

    public SocketDump Dump => Machine.Dump;

    /// <summary>The names of cgroups.</summary>
    public CgroupNames Cgroups => Machine.Cgroups;

    /// <summary>Receives the results and reports them before the step goes on.</summary>
    public IResultSink Report { get; } = report;

    /// <summary>Which processes to search first if one holder of each socket is enough.</summary>
    public SearchOrder SearchOrder { get; private init; } = new();

    /// <summary>Checked between batches: a stop request skips the remaining batches.</summary>
    public IStopSource Stop { get; set; } = new NoStop();

    /// <summary>The holders of the candidates.</summary>
    public Holders Holders { get; private init; } = new(machine);

    /// <summary>The connections that matched and stay open, as far as a step needs them.</summary>
    public ConnectionList LeftAlone { get; init; } = new();

    /// <summary>
    /// The name of the cgroup of a connection's socket, or, if that is unknown, of the container or pod that lives in its network
    /// namespace.
    /// </summary>
    public CgroupName NameOfCgroup(ConnectionList connections, int index)
    {
        CgroupName name = Cgroups.Of(connections.CgroupOf(index));
        return name.IsKnown ? name : connections.NamespaceOf(index).Resident(Cgroups);
    }

    /// <summary>The same round with another sink for its results.</summary>
    public RoundContext ReportingTo(IResultSink other) =>
        new(Rule, Machine, other) { SearchOrder = SearchOrder, Stop = Stop, Holders = Holders, LeftAlone = LeftAlone };
}

/// <summary>The sources of sockets, processes, network namespaces and time, which tests can replace.</summary>
/// <param name="root">
/// The directory with the /run and /proc in which network namespaces and cgroups are found; empty: the machine's root directory.
/// </param>
internal sealed class Machine(NetworkNamespace own, Func<IProcessTable> openProcesses, string root = "")
{
    private SocketDump? _dump;
    private CgroupNames? _cgroups;

    /// <summary>The machine that the program runs on.</summary>
    public static Machine Real => new(new NetworkNamespace(), static () => new ProcessTable());

    public IClock Clock { get; init; } = MonotonicClock.Instance;

    public NetworkNamespace Own { get; } = own;

    /// <summary>Lists sockets. There is only one, because its buffers are large.</summary>
    public SocketDump Dump => _dump ??= new SocketDump();

    public CgroupNames Cgroups => _cgroups ??= new CgroupNames(Root);

    public Func<IProcessTable> OpenProcesses { get; } = openProcesses;

    public string Root { get; } = root;
}
