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
        HashSet<uint> loginSockets = [];
        try
        {
            table = openProcesses();
            session.Find(table);
            if (session.UnfetchedInodes.Count > 0)
            {
                FindEnds(candidates, session);
            }

            if (session.MayBeUnknown)
            {
                loginSockets = LoginDaemons.Sockets(table, candidates);
            }
        }
        catch (SystemCallException e) when (e.Operation is Operation.OpenProc or Operation.UseProc or Operation.ListProcesses)
        {
            sink.Notice("without a /proc of this pid namespace, SSH_CONNECTION alone tells which connection is your own session");
        }
        finally
        {
            table?.Dispose();
        }

        Spare(candidates, session, loginSockets, sink);
    }

    private static void Spare(ConnectionList candidates, OperatorSession session, HashSet<uint> loginSockets, IResultSink sink)
    {
        var results = new ResultBatch(sink);
        int suspected = 0;
        for (int i = 0; i < candidates.Count; i++)
        {
            ref Connection connection = ref candidates[i];
            bool isOwn = session.Has(in connection);
            bool isSuspected = !isOwn && connection.Inode != 0 && loginSockets.Contains(connection.Inode);
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

    /// <summary>Sockets that may not be fetched are found in the kernel's list, by their inodes.</summary>
    private void FindEnds(ConnectionList candidates, OperatorSession session)
    {
        var query = new DumpQuery(Selection.EveryConnection, RuleContext.Empty, marksAndCgroups: false);
        foreach ((NetworkNamespace network, _, _) in candidates.Parts)
        {
            _ = dump.Run(network, query.Request, new EndsCollector(session)); // the candidates came from the same list a moment ago
        }
    }

    private sealed class EndsCollector(OperatorSession session) : IDumpSink
    {
        /// <summary>Nothing to forget: what an aborted dump brought is as true as the rest.</summary>
        public void Reset()
        {
        }

        public void Add(ref readonly InetDiagMsg message, in SocketAttributes attributes)
        {
            if (message.IdiagInode != 0 && session.UnfetchedInodes.Contains(message.IdiagInode))
            {
                session.AddEnds(SessionEnds.Of(Connection.From(in message)));
            }
        }
    }
}
