namespace TcpCloser.Matrix;

/// <summary>What happened to a socket, by what its ends saw and what the kernel lists.</summary>
internal enum Truth
{
    Alive,
    Closed,

    /// <summary>The kernel no longer lists it in its state, but its owner has seen nothing: an MPTCP subflow can end like that.</summary>
    Damaged,
}

/// <summary>A socket of a group, as it was before the run.</summary>
/// <param name="Socket">The socket as the kernel listed it.</param>
/// <param name="Index">The number of its connection in the Lab's list; -1 if no process has an end that could see anything.</param>
/// <param name="View">The state that its owner had seen.</param>
internal sealed record Subject(KernelSocket Socket, int Index, string View)
{
    internal string Ends => Socket.Ends;
}

/// <summary>Connections of one Lab, which are to have the same fate.</summary>
internal sealed class Group : IDisposable
{
    private static readonly TimeSpan s_limit = TimeSpan.FromSeconds(20);
    private readonly LabPlan _plan;
    private readonly Lab _lab;

    private Group(LabPlan plan, Lab lab) => (_plan, _lab) = (plan, lab);
    internal string Name => _plan.Name;

    /// <summary>Whether it is in the second network namespace.</summary>
    internal bool IsOther => _plan.Other;

    internal bool IsDeaf => _plan.Deaf;
    internal IReadOnlyList<Subject> Subjects { get; private set; } = [];
    /// <summary>The pids, in the row's pid namespace, of the processes that have the sockets open.</summary>
    internal int[] Pids { get; private set; } = [];

    /// <summary>Starts the Lab and waits until all of its sockets exist.</summary>
    internal static Group Create(LabPlan plan, IReadOnlyList<string> command)
    {
        Group group = new(plan, new Lab(command));
        try
        {
            if (plan.TwoSubflows)
            {
                group._lab.Send(); // the second subflow is opened with the first data
            }

            int wanted = plan.Count * (plan.TwoSubflows ? 2 : 1);
            List<KernelSocket> sockets = [];
            Until.True(() => (sockets = group.Matching()).Count >= wanted, $"{plan.Name}: {wanted} sockets", s_limit);
            group.RecordSubjects(sockets);
            return group;
        }
        catch
        {
            group.Dispose();
            throw;
        }
    }

    /// <summary>What happened to each socket, in the order of <see cref="Subjects"/>.</summary>
    internal List<Truth> Truths()
    {
        List<LabConnection> connections = _lab.Connections();
        HashSet<string> listed = [.. Matching().Select(static socket => socket.Ends)];
        return [.. Subjects.Select(subject =>
            subject.Index >= 0 && View(connections[subject.Index]) != subject.View ? Truth.Closed
            : listed.Contains(subject.Ends) ? Truth.Alive
            : subject.Index >= 0 ? Truth.Damaged
            : Truth.Closed)];
    }

    /// <summary>The state that the peer of each socket saw.</summary>
    internal List<string> PeerViews()
    {
        List<LabConnection> connections = _lab.Connections();
        return [.. Subjects.Select(subject => subject.Index < 0 ? "none" : connections[subject.Index].Client.View)];
    }

    /// <summary>Whether the keepalive timers of all sockets run.</summary>
    internal bool AllHaveKeepalive()
    {
        Dictionary<string, KernelSocket> now = [];
        Matching().ForEach(socket => now[socket.Ends] = socket);
        return Subjects.All(subject => now.GetValueOrDefault(subject.Ends) is { Timer: KernelSocket.KeepaliveTimer });
    }

    /// <summary>
    /// The pids, in the row's pid namespace, of processes that have ended: of those that have the sockets open, or of the
    /// others.
    /// </summary>
    internal int[] EndedPids(bool holders)
        => [.. _lab.Holders().Where(holder => !holder.IsAlive && (holder.Role == _plan.HolderRole) == holders).Select(static holder => holder.Pid)];

    public void Dispose() => _lab.Dispose();
    private string View(LabConnection connection) => _plan.IsClientEnd ? connection.Client.View : connection.Server.View;

    private List<KernelSocket> Matching() => [.. KernelSocket.Read(_lab.Id)
        .Where(socket => socket.State == _plan.KernelState && (_plan.IsClientEnd ? socket.Remote : socket.Local) == _plan.ServerEnd)
        .DistinctBy(static socket => socket.Ends)]; // the kernel's list may contain a socket twice while others come and go

    private void RecordSubjects(List<KernelSocket> sockets)
    {
        List<LabConnection> connections = _lab.Connections();
        Dictionary<long, int> byInode = [];
        foreach (KernelSocket socket in sockets)
        {
            int index = connections.FindIndex(connection => (_plan.IsClientEnd ? socket.Local : socket.Remote) == connection.ClientAddress);
            if (index >= 0)
            {
                byInode[socket.Inode] = index;
            }
        }

        Subjects = [.. sockets.Select(socket =>
        {
            // The second subflow of an MPTCP connection has its own endpoints, and the inode of the first.
            int index = _plan.HasVisibleEnds ? byInode.GetValueOrDefault(socket.Inode, -1) : -1;
            return new Subject(socket, index, index < 0 ? "" : View(connections[index]));
        })];
        Pids = [.. _lab.Holders().Where(holder => holder.Role == _plan.HolderRole).Select(static holder => holder.Pid)];
    }
}
