using TcpCloser.Diag;
using TcpCloser.Interop;

namespace TcpCloser.Kill;

/// <summary>
/// Leaves subflows of MPTCP connections alone of which another subflow is not to be closed, because it does not match or is not
/// idle: closing the connection would close that, too. It comes after all filters that may take a subflow away.
/// </summary>
internal sealed class MptcpFilter(SocketDump dump) : ICandidateFilter
{
    public void Apply(ConnectionList candidates, IResultSink sink, Func<bool> stopRequested)
    {
        var results = new ResultBatch(sink);
        foreach ((NetworkNamespace network, int start, int end) in candidates.Parts)
        {
            var subflows = new Subflows(candidates, start, end);
            if (subflows.Count == 0)
            {
                continue;
            }

            if (stopRequested())
            {
                return;
            }

            var query = new DumpQuery(Selection.EveryConnection, RuleContext.Empty, marksAndCgroups: false);
            int errno = dump.Run(network, query.Request, subflows);
            for (int i = start; i < end; i++)
            {
                if (candidates[i].IsMptcp && (errno != 0 || subflows.HasOthers(candidates[i].Inode)))
                {
                    results.Add(i, errno != 0 ? Outcome.Failed : Outcome.SubflowBusy, errno);
                }
            }

            if (errno != 0)
            {
                sink.Problem(Operation.ListSockets, errno);
            }
        }

        results.Flush();
    }

    /// <summary>Finds the inodes of which a subflow is not among the candidates.</summary>
    private sealed class Subflows : IDumpSink
    {
        private readonly HashSet<ulong> _cookies = [];
        private readonly HashSet<uint> _inodes = [];
        private readonly HashSet<uint> _withOthers = [];

        public Subflows(ConnectionList candidates, int start, int end)
        {
            for (int i = start; i < end; i++)
            {
                if (candidates[i].IsMptcp && candidates[i].Inode != 0)
                {
                    _cookies.Add(candidates[i].Cookie);
                    _inodes.Add(candidates[i].Inode);
                }
            }
        }

        public int Count => _cookies.Count;

        public bool HasOthers(uint inode) => _withOthers.Contains(inode);

        public void Reset() => _withOthers.Clear();

        public void Add(ref readonly InetDiagMsg message, in SocketAttributes attributes)
        {
            if (attributes.IsMptcp && _inodes.Contains(message.IdiagInode) && !_cookies.Contains(message.Id.Cookie))
            {
                _withOthers.Add(message.IdiagInode);
            }
        }
    }
}
