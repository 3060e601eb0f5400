namespace TcpCloser.Matrix;

/// <summary>
/// The connections of one row. The dead are those that the run is to close, if it can; the living also match and have to be
/// skipped; bystanders do not match. Each group has its own address, so that the two endpoints identify a connection in every
/// namespace.
/// </summary>
internal sealed class Scene : IDisposable
{
    /// <summary>The number of addresses of the loopback device; the last one is the second path of MPTCP.</summary>
    internal const int Addresses = 6;
    /// <summary>The maximum number of waves, each with its own ports: a service meets one after the other.</summary>
    internal const int MaxWaves = 3;
    internal const int Somebody = 1001;
    internal const int Nobody = 65534;
    private const int Stranger = 1003;
    private const int FirstPort = 5000;
    private const int FirstOtherPort = 5100;
    private const int OutsidePort = 6000;
    private const int PairCount = 2;
    private readonly Row _row;
    private readonly CopiedBinaries _binaries;
    private readonly CgroupPair? _cgroups;

    internal Scene(Row row, CopiedBinaries binaries, CgroupPair? cgroups)
    {
        (_row, _binaries, _cgroups) = (row, binaries, cgroups);
        ListFile = binaries.NewFile();
        Home = new Home(row, binaries, cgroups);
    }

    internal Home Home { get; }
    /// <summary>The list of the dead and the living, if the row's selector is a list of connections.</summary>
    internal string ListFile { get; }
    internal List<Group> Dead { get; } = [];
    internal List<Group> Living { get; } = [];
    internal List<Group> Bystanders { get; } = [];
    internal static string Ports => $"{FirstPort}-{FirstPort + MaxWaves - 1},{FirstOtherPort}-{FirstOtherPort + MaxWaves - 1}";

    internal static int UidOf(string holder) => holder switch
    {
        "user" or "own-table" or "first-ended" => Somebody,
        "nobody" => Nobody,
        _ => 0,
    };

    /// <summary>The pids of the processes that have the dead and the living open.</summary>
    internal IEnumerable<int> Pids => Dead.Concat(Living).SelectMany(static group => group.Pids);

    private string Family => _row.Family.StartsWith("dual", StringComparison.Ordinal) ? "dual" : _row.Family;

    /// <summary>Whether there are matching connections that must not be closed.</summary>
    private bool HasLiving => _row.IsEstablished && _row.Holder != "none" && (_row.Time is "busy" or "no-ack" || _row.Probes);

    /// <summary>Whether the peers of the dead are deaf: only that distinguishes a dead peer from a living one.</summary>
    private bool IsDeaf => _row.Connection == "established" && _row.Holder != "none" && (_row.Time == "no-ack" || _row.Probes);

    internal static string Address(int number, bool isV6) => isV6 ? $"fd09::{number}" : $"10.9.0.{number}";

    /// <summary>Creates the dead and the living of a wave, and with the first wave the bystanders.</summary>
    internal void CreateWave(int wave)
    {
        bool[] namespaces = _row.Namespace switch
        {
            "own" => [false],
            "named" => [true],
            _ => [false, true],
        };
        foreach (bool other in namespaces)
        {
            Dead.Add(Create(Plan("dead", other, wave) with
            {
                Count = _row.Connection == "listen" ? 1 : PairCount,
                Deaf = IsDeaf,
                Unacknowledged = IsDeaf && _row.Time == "no-ack",
                IgnoreTerm = _row.Method == "grace",
            }));
            if (HasLiving)
            {
                Living.Add(Create(Plan("living", other, wave) with { Address = 2, Busy = _row.Time == "busy" }));
            }

            if (wave == 0)
            {
                Bystanders.Add(Create(NonMatching(Plan("bystander", other, wave) with { Address = 3 })));
            }
        }

        if (_row.Selector == "list")
        {
            WriteList();
        }

        if (wave > 0)
        {
            return;
        }

        if (_row.Namespace == "named")
        {
            Bystanders.Add(Create(Plan("bystander in the tool's network namespace", other: false, wave) with { Address = 4 }));
        }

        if (_row.Connection == "listen")
        {
            return; // a connection in another state would need another listener
        }

        LabPlan elsewhere = Plan("bystander in another state", namespaces[0], wave) with { Address = 5, Holder = "root", Uid = UidOf(_row.Holder) };
        Bystanders.Add(Create(elsewhere with { Connection = _row.IsEstablished ? "close-wait" : "established" }));
    }

    public void Dispose()
    {
        foreach (Group group in Dead.Concat(Living).Concat(Bystanders))
        {
            group.Dispose();
        }

        Home.Dispose();
    }

    /// <summary>Replaces the list at once: a service may be reading it. A listener, which has no peer, is a record.</summary>
    private void WriteList()
    {
        File.WriteAllLines(ListFile + ".new", Dead.Concat(Living).SelectMany(static group => group.Subjects).Select(static subject =>
        {
            (string local, string remote) = (subject.Socket.Local, subject.Socket.Remote);
            return remote.EndsWith(":0", StringComparison.Ordinal) ? $"{{{Field("local", local)},{Field("remote", remote)}}}" : $"{local} {remote}";
        }));
        File.Move(ListFile + ".new", ListFile, overwrite: true);

        static string Field(string name, string end)
        {
            int colon = end.LastIndexOf(':');
            return $"\"{name}_address\":\"{end[..colon].Trim('[', ']')}\",\"{name}_port\":{end[(colon + 1)..]}";
        }
    }

    private LabPlan Plan(string name, bool other, int wave) => new(name)
    {
        Address = 1,
        Port = (other ? FirstOtherPort : FirstPort) + wave,
        Family = Family,
        Connection = _row.Connection,
        Holder = _row.Holder,
        Uid = UidOf(_row.Holder),
        Cgroup = _row.Selector is "cgroup-below" or "unit" ? _cgroups?.BelowFirst : _cgroups?.First,
        Other = other,
    };

    /// <summary>A group that does not match, by the row's selector; if that is the port, by its family or port.</summary>
    private LabPlan NonMatching(LabPlan plan) => (_row.Selector, _row.Family) switch
    {
        ("uid", _) => plan with { Uid = Stranger },
        ("comm" or "pid", _) => plan with { Comm = "bystander" },
        ("cgroup" or "cgroup-below" or "unit", _) => plan with { Cgroup = _cgroups?.Second },
        ("not-cgroup", _) => plan with { Cgroup = _cgroups?.BelowSecond },
        ("list", _) => plan,
        (_, "v4" or "dual-4") => plan with { Family = "v6" },
        (_, "v6" or "dual-6") => plan with { Family = "v4" },
        _ => plan with { Port = OutsidePort },
    };

    private Group Create(LabPlan plan) => Group.Create(plan, plan.Command(_binaries.Lab, Home.Enter(plan.Other)));
}
