namespace TcpCloser.Matrix;

internal enum Fate
{
    Closed,
    Cured,
    Skipped,
    Unasked, // skipped because its peer could not be probed, which is a failure of the run
    Failed,
    NotSeen, // the run does not see that it matches
}

/// <summary>
/// The expected results of a row, by the contract that README, the man page and docs/reliability.md make, and not by the code. If
/// the contract leaves a choice, there are several expected results.
/// </summary>
internal sealed class Model
{
    private const int Done = 0;
    private const int Incomplete = 1;
    private const int Usage = 2;
    private const int NotPossible = 3;
    private const int Refused = 4;
    private readonly Row _row;

    internal Model(Row row)
    {
        _row = row;
        (Fate[] fates, int[] statuses) = FateOfDead();
        Dead = fates;
        Living = LivingFates();
        IsRefused = _row.Max == "small" && fates is [Fate.Closed or Fate.Cured];
        MayBeRefused = _row.Max == "small" && fates.Any(static fate => fate is Fate.Closed or Fate.Cured or Fate.Failed);
        Statuses = AllStatuses(statuses);
        DryStatuses = DryRun(Statuses);
        ServiceStatuses = Service(_row.IsDryOnly);
    }

    /// <summary>The possible fates of the dead, in a network namespace that is searched.</summary>
    internal IReadOnlyList<Fate> Dead { get; }
    internal IReadOnlyList<Fate> Living { get; }
    /// <summary>Whether --max prevents that anything is closed.</summary>
    internal bool IsRefused { get; }
    /// <summary>Whether exit status 4 is also right: connections that cannot be closed may count for --max or not.</summary>
    internal bool MayBeRefused { get; }

    /// <summary>
    /// The possible exit statuses of a single run, of its dry run, and of a service. A service that does not end by itself is
    /// ended by SIGTERM.
    /// </summary>
    internal IReadOnlyList<int> Statuses { get; }

    internal IReadOnlyList<int> DryStatuses { get; }
    internal IReadOnlyList<int> ServiceStatuses { get; }

    internal string Method => _row.Method switch
    {
        "grace" => "kill",
        "auto" => _row.IsMptcp || !HasNetAdmin ? "disconnect" : "destroy",
        _ => _row.Method,
    };

    internal bool Searches(Group group) => !group.IsOther || (MayEnterOther && FindsOther);

    /// <summary>Whether the privilege is sufficient to enter the second network namespace.</summary>
    private bool MayEnterOther => _row.Privilege is "root" or "holders";

    /// <summary>Whether the run can find it: without a name only its processes show it.</summary>
    private bool FindsOther => _row.Namespace != "all" || _row.Holder != "outer";

    private bool HasNetAdmin => _row.Privilege is "root" or "net-admin" or "holders" or "unit";

    /// <summary>Whether the privilege is sufficient to inspect the processes that hold the connections.</summary>
    private bool MayInspect => _row.Privilege is "root" or "holders" or "owner";

    /// <summary>Whether the privilege is sufficient to fetch a socket from them.</summary>
    private bool MayFetch => MayInspect && (_row.Privilege != "owner" || Machine.SameUserMayTrace);

    /// <summary>Whether a process has the socket open that the run could find with sufficient privilege.</summary>
    private bool HasHolder => _row.Holder is not ("none" or "outer");

    /// <summary>Whether the kernel reports how long nothing was received.</summary>
    private bool HasClock => _row.Connection is not ("syn-sent" or "listen" or "time-wait") && !(_row.Connection == "fin-wait-2" && _row.Holder == "none");

    private (Fate[], int[]) FateOfDead()
    {
        if (_row.Selector == "tmpfs")
        {
            return ([Fate.NotSeen], [Incomplete, Usage, NotPossible]); // an inode of a tmpfs is not a cgroup
        }

        if (_row.Namespace == "named" && !MayEnterOther)
        {
            return ([Fate.NotSeen], [Incomplete, NotPossible]);
        }

        if (_row.Selector is "comm" or "pid")
        {
            if (!MayInspect)
            {
                return ([Fate.NotSeen], [Incomplete, NotPossible]);
            }

            if (_row.Holder == "outer")
            {
                return ([Fate.NotSeen], [Done, Incomplete, NotPossible]); // there is no such process in this pid namespace
            }
        }

        (Fate[] fates, int[] statuses) = FateByTime() ?? FateByMethod();
        (fates, statuses) = FateByQuantity(fates, statuses);

        // A run that may not enter the other namespaces may give up its own with them.
        return _row.Namespace == "all" && !MayEnterOther ? ([.. fates, Fate.NotSeen], statuses) : (fates, statuses);
    }

    /// <summary>The fates if clocks or probes prevent closing; null: they do not.</summary>
    private (Fate[], int[])? FateByTime()
    {
        bool isBusy = _row.Connection == "mptcp-busy";
        switch (_row.Time)
        {
            case "none":
                return null;
            case "idle" or "busy":
                return !HasClock ? ([Fate.Skipped], [Done])
                    : !isBusy ? null
                    // One subflow of each connection is idle: destroy cannot close it by itself, and may report so.
                    : _row.Method is "destroy" or "keepalive" ? ([Fate.Skipped, Fate.Failed, Fate.Cured], [Done, Incomplete, NotPossible])
                    : ([Fate.Skipped], [Done]);
            case "no-ack":
                return _row.Connection == "established" && _row.Holder != "none" ? null : ([Fate.Skipped], [Done]);
            default:
                bool mayProbe = MayFetch && HasNetAdmin;
                return _row.Connection == "established"
                    ? mayProbe && HasHolder ? null : ([Fate.Unasked], [NotPossible])
                    // There is nothing to probe, which may be reported before it is known whether probing is possible.
                    : ([Fate.Skipped, Fate.Unasked], mayProbe && HasHolder ? [Done] : [Done, Incomplete, NotPossible]);
        }
    }

    /// <summary>What the options that restrict the quantity, and the exclusions, make of the fates.</summary>
    private (Fate[], int[]) FateByQuantity(Fate[] fates, int[] statuses)
    {
        switch (_row.Quantity)
        {
            case "limit-0" or "keep":
                // What certainly cannot be closed is failed, or left open like the rest.
                Fate[] open = [.. fates.Select(static fate => fate is Fate.Closed or Fate.Cured ? Fate.Skipped : fate)];
                return !fates.Contains(Fate.Failed) ? ([.. open.Distinct()], statuses)
                    : ([.. open.Append(Fate.Skipped).Distinct()], [.. statuses.Append(Done).Distinct()]);
            case "exclude" when ExcludesUnknown:
                // Whether an excluded process holds a socket is unknown, unless no process does.
                return _row.Holder == "none" ? (fates, [.. statuses.Where(static status => status != Done), Incomplete, NotPossible])
                    : ([Fate.NotSeen], [Incomplete, NotPossible]);
            case "exclude" when _row.IsMptcp && _row.IsService:
                // After the kill, the kernel winds an MPTCP connection down that no process holds: an excluded process, invisible here, might.
                return ([.. fates.Append(Fate.NotSeen).Distinct()], [.. statuses.Append(Incomplete).Append(NotPossible).Distinct()]);
            default:
                return (fates, statuses);
        }
    }

    /// <summary>Whether some processes are invisible to the run.</summary>
    private bool ExcludesUnknown => _row.Privilege == "unit" || _row.Holder == "outer";

    private (Fate[], int[]) FateByMethod()
    {
        switch (_row.Method)
        {
            case "destroy":
                return _row.IsMptcp ? ([Fate.Failed], [Incomplete, NotPossible]) : HasNetAdmin ? ([Fate.Closed], [Done]) : ([Fate.Failed], [NotPossible]);
            case "auto":
                return HasNetAdmin && !_row.IsMptcp ? ([Fate.Closed], [Done])
                    : HasHolder && MayFetch ? ([Fate.Closed], [Done])
                    : ([Fate.Failed], HasNetAdmin ? [Incomplete, NotPossible] : [NotPossible]);
            case "keepalive":
                bool isPlain = _row.Connection == "established" && _row.Time != "no-ack";
                return !HasHolder ? ([Fate.Failed], [Incomplete, NotPossible])
                    : !MayFetch ? ([Fate.Failed], [NotPossible])
                    : isPlain ? ([Fate.Cured], [Done])
                    // The contract does not say whether keepalive helps there.
                    : ([Fate.Cured, Fate.Skipped, Fate.Failed], [Done, Incomplete, NotPossible]);
            default:
                bool may = _row.Kills ? MayInspect : MayFetch;
                // A holder in another pid namespace is invisible, and then it is not possible here.
                return !HasHolder ? ([Fate.Failed], may && _row.Holder != "outer" ? [Incomplete] : [Incomplete, NotPossible])
                    : may ? ([Fate.Closed], [Done])
                    : ([Fate.Failed], [NotPossible]);
        }
    }

    private Fate[] LivingFates() =>
        Dead is [Fate.NotSeen] || Dead.Contains(Fate.Unasked) || _row.Connection == "mptcp-busy" ? [.. Dead] // those are also busy
        : Dead.Contains(Fate.NotSeen) ? [Fate.Skipped, Fate.NotSeen]
        : [Fate.Skipped];

    private int[] AllStatuses(int[] statuses)
    {
        HashSet<int> all = [.. IsRefused ? [Refused] : statuses];
        if (MayBeRefused)
        {
            all.Add(Refused);
        }

        // The second network namespace could not be searched: exit 1, or 3 if nothing else was done either.
        if (_row.Namespace == "all" && !MayEnterOther && _row.Selector != "tmpfs")
        {
            all.UnionWith([Incomplete, NotPossible]);
            _ = FindsOther && all.Remove(Done);
        }

        return [.. all];
    }

    /// <summary>A dry run may not know that a connection cannot be closed without privilege, which is not a failure.</summary>
    private int[] DryRun(IReadOnlyList<int> statuses)
        => Dead.Contains(Fate.Failed) && _row.Privilege != "root" ? [.. statuses.Append(Done).Append(Incomplete).Distinct()]
            : Dead.Contains(Fate.Failed) ? [.. statuses.Append(Incomplete).Distinct()]
            : [.. statuses];

    /// <summary>A service that could not close any connection exits at once with 3; later errors are errors of a round.</summary>
    private int[] Service(bool isDry)
    {
        if (_row.Selector == "tmpfs")
        {
            return [Incomplete, Usage, NotPossible];
        }

        bool mayAct = _row.Method switch
        {
            "destroy" => HasNetAdmin,
            "auto" => HasNetAdmin || MayFetch,
            "kill" or "grace" => MayInspect,
            _ => MayFetch,
        };
        bool mayRun = mayAct
            && (_row.Selector is not ("comm" or "pid") || MayInspect)
            && (_row.Namespace != "named" || MayEnterOther)
            && (!_row.Probes || (MayFetch && HasNetAdmin));
        bool mayDoubt = _row.Holder is "outer" or "none" || isDry || (_row.Namespace == "all" && !MayEnterOther);
        return mayRun ? mayDoubt ? [Done, NotPossible] : [Done]
            : mayDoubt ? [Done, NotPossible]
            : [NotPossible];
    }
}
