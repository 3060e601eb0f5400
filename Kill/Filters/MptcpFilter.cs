using TcpCloser.Diag;
using TcpCloser.Interop;
using TcpCloser.Rules;

namespace TcpCloser.Kill;

/// <summary>
/// Skips a subflow of an MPTCP connection if another subflow of that connection must stay open, because it does not match or is not idle:
/// closing the connection would close all of its subflows. Also skips a connection that no process has open any more: the kernel winds it
/// down and lists its subflows as established for a minute.
/// </summary>
internal sealed class MptcpFilter : IStep
{
    public Stage Stage => Stage.WholeMptcp;

    public void Run(ConnectionList candidates, RoundContext round)
    {
        var results = new ResultBatch(round.Report);
        MptcpCookies? mptcp = null;
        foreach ((NetworkNamespace network, int start, int end) in candidates.Parts)
        {
            var subflows = new Subflows(candidates, start, end);
            if (subflows.Count == 0)
            {
                continue;
            }

            if (round.Stop.StopRequested())
            {
                return;
            }

            var query = new DumpQuery(Selection.EveryConnection, RuleContext.Empty, marksAndCgroups: false);
            int errno = round.Dump.Run(network, query.Request, subflows.Add, subflows.Reset);
            mptcp ??= MptcpCookies.Find(round.Dump, candidates);
            for (int i = start; i < end; i++)
            {
                if (!candidates[i].IsMptcp)
                {
                    continue;
                }

                if (mptcp.Errno == 0 && candidates[i].Inode != 0 && !mptcp.IsOpen(candidates[i].Inode))
                {
                    results.Add(i, Outcome.WindingDown);
                }
                else if (errno != 0 || subflows.HasOthers(candidates[i].Inode))
                {
                    results.Add(i, errno != 0 ? Outcome.Failed : Outcome.SubflowBusy, errno);
                }
            }

            if (errno != 0)
            {
                round.Report.Problem(new Failure(Operation.ListSockets, errno));
            }
        }

        results.Flush();
    }

    /// <summary>Finds the inodes that have a subflow outside the candidates.</summary>
    private sealed class Subflows
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
