using TcpCloser.Diag;
using TcpCloser.Interop;
using TcpCloser.Proc;
using TcpCloser.Rules;

namespace TcpCloser.Kill;

/// <summary>
/// Skips candidates that a process named by <c>--not-comm</c> holds by now. Most of them were excluded when the connections were listed,
/// but the processes are read before the connections: a server may have accepted one in between.
/// </summary>
internal sealed class ExcludedFilter : IStep
{
    public Stage Stage => Stage.Excluded;

    public void Run(ConnectionList candidates, RoundContext round)
    {
        if (candidates.Count == 0)
        {
            return;
        }

        using IProcessTable table = round.Machine.OpenProcesses();
        var excluded = new ExcludedSockets(table, round.Rule.NotComms);
        var results = new ResultBatch(round.Report);
        for (int i = 0; i < candidates.Count; i++)
        {
            if (candidates[i].Inode != 0 && (!excluded.Failure.IsNone || excluded.Inodes.Contains(candidates[i].Inode)))
            {
                results.Add(i, Outcome.Excluded);
            }
        }

        results.Flush();
        if (!excluded.Failure.IsNone)
        {
            round.Report.Problem(excluded.Failure);
        }
    }
}

/// <summary>The sockets that the processes named by <c>--not-comm</c> hold.</summary>
internal sealed class ExcludedSockets
{
    /// <exception cref="SystemCallException">The processes could not be listed.</exception>
    public ExcludedSockets(IProcessTable table, IReadOnlyList<string> comms)
    {
        var processes = new NamedProcesses(table, [], comms);
        Inodes = processes.Inodes;
        HasProcesses = processes.Pids.Count > 0;
        Failure = processes.Unreadable.Count > 0 ? processes.Unreadable.Failure
            : HiddenProcess.Any(table) ? new Failure(Operation.SeeProcesses, Errno.ENOENT)
            : default;
    }

    /// <summary>The inodes of the sockets.</summary>
    public HashSet<uint> Inodes { get; }

    /// <summary>Whether there is a process with one of the names.</summary>
    public bool HasProcesses { get; }

    /// <summary>Why one of the processes may hold any socket; none: <see cref="Inodes"/> has all that they hold.</summary>
    public Failure Failure { get; }
}
