using TcpCloser.Diag;
using TcpCloser.Interop;
using TcpCloser.Proc;
using TcpCloser.Rules;

namespace TcpCloser.Kill;

/// <summary>
/// Skips the connection that carries your session. Over loopback, both of its sockets are on this machine, and closing either would end the
/// session.
/// </summary>
internal sealed class OwnSessionFilter : IStep
{
    public Stage Stage => Stage.OwnSession;

    public void Run(ConnectionList candidates, RoundContext round)
    {
        if (candidates.Count == 0)
        {
            return;
        }

        var session = new OperatorSession();
        IProcessTable? table = null;
        List<SessionEnds> suspects = [];
        try
        {
            table = round.Machine.OpenProcesses();
            session.Find(table);
            FindEnds(candidates, round.Dump, session.UnfetchedInodes, session.AddEnds);
            if (session.MayBeUnknown)
            {
                FindEnds(candidates, round.Dump, LoginDaemons.Sockets(table, candidates), suspects.Add);
            }
        }
        catch (SystemCallException e) when (e.Failure.Operation is Operation.OpenProc or Operation.UseProc or Operation.ListProcesses
            && e.Failure.Errno is not (Errno.EMFILE or Errno.ENFILE or Errno.ENOMEM))
        {
            round.Report.Notice("without a /proc of this pid namespace, your session is recognized by SSH_CONNECTION only");
        }
        finally
        {
            table?.Dispose();
        }

        Spare(candidates, session, suspects, round.Report);
    }

    private static void Spare(ConnectionList candidates, OperatorSession session, List<SessionEnds> suspects, IResultSink sink)
    {
        var results = new ResultBatch(sink);
        int suspected = 0;
        for (int i = 0; i < candidates.Count; i++)
        {
            ref Connection connection = ref candidates[i];
            bool isOwn = session.Has(in connection);
            bool isSuspected = !isOwn && IsAny(suspects, in connection);
            suspected += isSuspected ? 1 : 0;
            if (isOwn || isSuspected)
            {
                results.Add(i, Outcome.Spared);
            }
        }

        results.Flush();
        if (suspected > 0)
        {
            sink.Notice($"an ancestor of this process cannot be inspected, so {suspected} {(suspected == 1 ? "connection" : "connections")} of login daemons " +
                $"{(suspected == 1 ? "is" : "are")} spared, which may carry your session; run as root, or with --include-own-session");
        }
    }

    private static bool IsAny(List<SessionEnds> suspects, ref readonly Connection connection)
    {
        foreach (SessionEnds ends in suspects)
        {
            if (ends.Matches(in connection))
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>Reads the endpoints of the sockets with these inodes from the kernel's list.</summary>
    /// <exception cref="SystemCallException">The sockets could not be listed.</exception>
    private static void FindEnds(ConnectionList candidates, SocketDump dump, HashSet<uint> inodes, Action<SessionEnds> add)
    {
        if (inodes.Count == 0)
        {
            return;
        }

        var query = new DumpQuery(Selection.EveryConnection, RuleContext.Empty, marksAndCgroups: false);
        foreach ((NetworkNamespace network, _, _) in candidates.Parts)
        {
            dump.List(network, query.Request, (ref readonly InetDiagMsg message, in SocketAttributes _) =>
            {
                if (message.IdiagInode != 0 && inodes.Contains(message.IdiagInode))
                {
                    add(SessionEnds.Of(Connection.From(in message)));
                }
            });
        }
    }
}

/// <summary>The programs that accept logins over the network.</summary>
internal static class LoginDaemons
{
    private const uint Root = 0;

    public static bool IsOne(ReadOnlySpan<byte> comm) =>
        comm.StartsWith("sshd"u8) || comm.StartsWith("dropbear"u8) || comm.EndsWith("telnetd"u8);

    /// <summary>
    /// Returns the inodes of the sockets that login daemons hold. If a daemon cannot be inspected, also returns root's candidate sockets
    /// that no other process holds, because a login daemon accepts connections as root.
    /// </summary>
    /// <exception cref="SystemCallException">The processes could not be listed.</exception>
    public static HashSet<uint> Sockets(IProcessTable table, ConnectionList candidates)
    {
        var ofDaemons = new HashSet<uint>();
        var ofOthers = new HashSet<uint>();
        bool hasUnreadable = false;
        using var walk = new DescriptorWalk(table, DescriptorWalk.AllProcesses(table));
        while (walk.NextProcess())
        {
            // A process whose name cannot be read may be a login daemon.
            int errno = ProcFile.ReadComm(table, walk.Pid, out byte[] comm);
            bool isDaemon = errno is not (0 or Errno.ENOENT or Errno.ESRCH) || IsOne(comm);
            while (walk.NextSocket())
            {
                (isDaemon ? ofDaemons : ofOthers).Add(walk.Inode);
            }

            hasUnreadable |= isDaemon && !walk.Failure.IsNone;
        }

        for (int i = 0; hasUnreadable && i < candidates.Count; i++)
        {
            if (candidates[i].Uid == Root && candidates[i].Inode != 0 && !ofOthers.Contains(candidates[i].Inode))
            {
                ofDaemons.Add(candidates[i].Inode);
            }
        }

        return ofDaemons;
    }
}
