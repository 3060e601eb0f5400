using System.Globalization;
using TcpCloser.Diag;
using TcpCloser.Interop;
using TcpCloser.Proc;
using TcpCloser.Rules;

namespace TcpCloser.Kill;

/// <summary>
/// Whether /proc shows the processes that hold the sockets of a network namespace. It does not if it hides processes, or if they are in
/// another pid namespace, as in a container that has the host's network but not its processes.
/// </summary>
internal sealed class HolderVisibility
{
    /// <summary>How many of the sockets a visible process holds; 0 if they were not counted.</summary>
    private readonly int _held;

    /// <param name="table">The visible processes.</param>
    /// <param name="uids">The users whose sockets are checked; empty: all users.</param>
    /// <exception cref="SystemCallException">The sockets or the processes could not be listed.</exception>
    public HolderVisibility(IProcessTable table, SocketDump dump, NetworkNamespace network, IReadOnlyList<uint> uids)
    {
        if (HiddenProcess.Any(table))
        {
            Failure = new Failure(Operation.SeeProcesses, Errno.ENOENT);
            return;
        }

        if (table.IsInInitialPidNamespace)
        {
            return; // it contains every process of the machine
        }

        // Processes of other pid namespaces may use this network namespace. Usually, only sockets without a holder here reveal that. One
        // case is certain without them: only the initial pid namespace shows every process that uses the initial network namespace.
        bool isCertain = network.Name is null && table.IsInInitialNetworkNamespace;
        HashSet<uint> unheld = FindUnheld(
            table, () => SocketInodes.In(dump, network, Selection.EverySocket, uids), out _held, out bool isConclusive);
        if (isCertain || (isConclusive && unheld.Count > 0))
        {
            IsPartial = !isCertain && _held > 0;
            Failure = new Failure(Operation.FindHolders, Errno.ESRCH, unheld.Count == 0 ? null
                : string.Create(CultureInfo.InvariantCulture, $"({unheld.Count} of {_held + unheld.Count} have none here)"));
        }
    }

    /// <summary>Why some holders are invisible, and how many sockets show that; none: as far as is known, all are visible.</summary>
    public Failure Failure { get; }

    /// <summary>Whether only some sockets have invisible holders.</summary>
    public bool IsPartial { get; }

    public bool IsWhole => Failure.IsNone;

    /// <summary>
    /// Returns why the holders of connections with this outcome may be invisible; null: no such connection has a socket, all holders are
    /// visible, or the check failed.
    /// </summary>
    public static HolderVisibility? Of(ConnectionList connections, Outcome outcome, Machine machine)
    {
        foreach ((NetworkNamespace network, int start, int end) in connections.Parts)
        {
            try
            {
                if (HasAny(connections, start, end, outcome))
                {
                    using IProcessTable table = machine.OpenProcesses();
                    var visibility = new HolderVisibility(table, machine.Dump, network, uids: []);
                    if (!visibility.IsWhole)
                    {
                        return visibility;
                    }
                }
            }
            catch (SystemCallException)
            {
                continue; // another namespace may still show it
            }
        }

        return null;
    }

    /// <summary>
    /// Limits the availability of a feature that works through processes and was tried only on the visible ones: it cannot reach invisible
    /// holders.
    /// </summary>
    /// <param name="support">The result of trying it on the visible processes.</param>
    /// <param name="uids">The users whose sockets are checked; empty: all users.</param>
    public FeatureSupport Limit(FeatureSupport support, IReadOnlyList<uint> uids)
    {
        // A process that refuses may hold the sockets that seem to have no holder.
        bool isRefusal = !support.Failure.IsNone && (support.IsImpossible || IsPartial);
        if (IsWhole || !support.NeedsProcesses || isRefusal)
        {
            return support;
        }

        bool reachesSome = support.HasWillingProcess && (Failure.Operation == Operation.SeeProcesses || _held > 0);
        return support with
        {
            Availability = reachesSome && (IsPartial || uids.Count > 0) ? Availability.Partial : Availability.None,
            HasWillingProcess = reachesSome,
            Failure = Failure,
        };
    }

    private static bool HasAny(ConnectionList connections, int start, int end, Outcome outcome)
    {
        for (int i = start; i < end; i++)
        {
            if (connections[i].Outcome == outcome && connections[i].Inode != 0)
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>Finds the sockets that no visible process holds.</summary>
    /// <param name="table">The visible processes.</param>
    /// <param name="list">Lists the inodes of the sockets to check.</param>
    /// <param name="held">How many of them a visible process holds.</param>
    /// <param name="isConclusive">Whether every visible process could be inspected; if not, one that could not may hold the rest.</param>
    private static HashSet<uint> FindUnheld(IProcessTable table, Func<HashSet<uint>> list, out int held, out bool isConclusive)
    {
        HashSet<uint> inodes = list();
        var found = SocketHolders.All(table, inodes.Contains, inodes.Count);
        held = inodes.RemoveWhere(inode => found.Of(inode).Length > 0);
        isConclusive = found.Unreadable.Count == 0;
        if (inodes.Count > 0)
        {
            // A socket that was closed in the meantime has no holder, either: list again to exclude it.
            inodes.IntersectWith(list());
        }

        return inodes;
    }
}
