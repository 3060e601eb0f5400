using TcpCloser.Diag;
using TcpCloser.Interop;
using TcpCloser.Proc;

namespace TcpCloser.Kill;

/// <summary>
/// Spares the connection that the operator sits on. Over loopback both of its ends are here, and closing either would end the
/// session.
/// </summary>
internal sealed class OwnSessionFilter(SocketDump dump, Func<IProcessTable> openProcesses) : ICandidateFilter
{
    public void Apply(ConnectionList candidates, IResultSink sink, Func<bool> stopRequested)
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
            table = openProcesses();
            session.Find(table);
            FindEnds(candidates, session.UnfetchedInodes, session.AddEnds);
            if (session.MayBeUnknown)
            {
                FindEnds(candidates, LoginDaemons.Sockets(table, candidates), suspects.Add);
            }
        }
        catch (SystemCallException e) when (e.Operation is Operation.OpenProc or Operation.UseProc or Operation.ListProcesses
            && e.Errno is not (Errno.EMFILE or Errno.ENFILE or Errno.ENOMEM))
        {
            sink.Notice("without a /proc of this pid namespace, SSH_CONNECTION alone tells which connection is your own session");
        }
        finally
        {
            table?.Dispose();
        }

        Spare(candidates, session, suspects, sink);
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
            sink.Notice($"a process that this one comes from cannot be looked at, so {suspected} connections of login daemons are spared: " +
                "one of them may carry your own session; run as root, or with --include-own-session");
        }
    }

    private static bool IsAny(List<SessionEnds> suspects, ref readonly Connection connection)
    {
        foreach (SessionEnds ends in suspects)
        {
            if (ends.Are(in connection))
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>Finds out from the kernel's list between what the sockets with these inodes are.</summary>
    /// <exception cref="SystemCallException">The sockets could not be listed.</exception>
    private void FindEnds(ConnectionList candidates, HashSet<uint> inodes, Action<SessionEnds> add)
    {
        if (inodes.Count == 0)
        {
            return;
        }

        var query = new DumpQuery(Selection.EveryConnection, RuleContext.Empty, marksAndCgroups: false);
        foreach ((NetworkNamespace network, _, _) in candidates.Parts)
        {
            int errno = dump.Run(network, query.Request, new EndsCollector(inodes, add));
            if (errno != 0)
            {
                throw new SystemCallException(Operation.ListSockets, errno);
            }
        }
    }

    private sealed class EndsCollector(HashSet<uint> inodes, Action<SessionEnds> add) : IDumpSink
    {
        /// <summary>Nothing to forget: what an aborted dump brought is as true as the rest.</summary>
        public void Reset()
        {
        }

        public void Add(ref readonly InetDiagMsg message, in SocketAttributes attributes)
        {
            if (message.IdiagInode != 0 && inodes.Contains(message.IdiagInode))
            {
                add(SessionEnds.Of(Connection.From(in message)));
            }
        }
    }
}
