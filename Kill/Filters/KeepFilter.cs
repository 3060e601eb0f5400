using System.Globalization;
using System.Text;
using TcpCloser.Diag;
using TcpCloser.Interop;
using TcpCloser.Proc;
using TcpCloser.Rules;

namespace TcpCloser.Kill;

/// <summary>
/// Skips the least idle connections of each group, up to the quota of <c>--keep</c>. Connections that match and stay open anyway, for
/// example because they are busy, count in their group. Of two connections of the same age, the one that the kernel lists first counts as
/// less idle; connections without a usable clock are the least idle ones. An MPTCP connection counts once, in the group of its least idle
/// subflow.
/// </summary>
/// <param name="reach">The reach of the method: a process that holds a connection to keep must not be ended.</param>
internal sealed class KeepFilter(KeepQuota quota, Reach reach) : IStep
{
    public Stage Stage => Stage.Keep;

    public void Run(ConnectionList candidates, RoundContext round)
    {
        if (candidates.Count == 0 || round.Stop.StopRequested())
        {
            return;
        }

        bool needsHolders = GroupKeys.NeedsHolders(quota.Key);
        Failure unknown = default;
        if (needsHolders || reach == Reach.Process)
        {
            using IProcessTable table = round.Machine.OpenProcesses();
            SocketHolders found = round.Holders.Ensure(table, Known.All, candidates, round.LeftAlone);
            unknown = !needsHolders ? default : WhyUnknown(table, found);
        }

        var isKept = new bool[candidates.Count];
        var keepers = new HashSet<SocketHolder>();
        FindKept(candidates, round, isKept, keepers);

        var results = new ResultBatch(round.Report);
        int unknownCount = 0;
        for (int i = 0; i < candidates.Count; i++)
        {
            SocketHolder[] holders = round.Holders.Of(candidates[i].Inode);
            bool isUnknown = quota.Key is GroupKey.Unit or GroupKey.Pod ? !round.NameOfCgroup(candidates, i).IsKnown
                : !unknown.IsNone && holders.Length == 0 && candidates[i].Inode != 0;
            unknownCount += isUnknown ? 1 : 0;
            if (isKept[i] || isUnknown || keepers.Overlaps(holders))
            {
                results.Add(i, Outcome.Kept);
            }
        }

        results.Flush();
        if (unknownCount > 0 && needsHolders)
        {
            round.Report.Problem(unknown);
        }
        else if (unknownCount > 0)
        {
            string subject = string.Create(CultureInfo.InvariantCulture, $"{unknownCount} {(unknownCount == 1 ? "connection" : "connections")}");
            round.Report.Incomplete(new Failure(Operation.GroupByCgroup, Errno.ENODATA, subject));
        }
    }

    /// <summary>Why the holder of a socket may be invisible, so that its group is unknown; none: every holder is visible.</summary>
    private static Failure WhyUnknown(IProcessTable table, SocketHolders found) =>
        found.Unreadable.Count > 0 ? found.Unreadable.Failure
        : found.AreSomeHidden ? new Failure(Operation.SeeProcesses, Errno.ENOENT)
        : !table.IsInInitialPidNamespace ? new Failure(Operation.FindHolders, Errno.ESRCH)
        : default;

    /// <summary>Whether a connection counts in its group: it matches, and it is not ending.</summary>
    private static bool Counts(Outcome outcome) => outcome is not (Outcome.Excluded or Outcome.AddressPresent or Outcome.WindingDown
        or Outcome.Vanished or Outcome.Reset);

    /// <summary>Finds the connections within the quota of their group.</summary>
    /// <param name="isKept">Set for each of these candidates.</param>
    /// <param name="keepers">Receives the holders of these connections, if the method ends processes.</param>
    private void FindKept(ConnectionList candidates, RoundContext round, bool[] isKept, HashSet<SocketHolder> keepers)
    {
        ConnectionList others = round.LeftAlone;
        var keys = new GroupKeys(quota.Key, round, others, candidates);
        var groups = new GroupCounts();
        var decided = new MptcpDecisions();
        foreach (ulong key in IdleOrder.ShortestFirst(others, candidates))
        {
            int i = (int)(uint)key;
            ConnectionList list = i < others.Count ? others : candidates;
            i -= i < others.Count ? 0 : others.Count;
            ref Connection connection = ref list[i];
            if (!Counts(connection.Outcome))
            {
                continue;
            }

            if (!decided.TryGet(in connection, out bool isWithin))
            {
                isWithin = groups.Next(keys.Of(list, i)) <= quota.Count;
                decided.Set(in connection, isWithin);
            }

            if (isWithin && reach == Reach.Process)
            {
                keepers.UnionWith(round.Holders.Of(connection.Inode));
            }

            if (isWithin && list == candidates)
            {
                isKept[i] = true;
            }
        }
    }

    /// <summary>The number of connections in each group so far. It allocates once per group.</summary>
    private sealed class GroupCounts
    {
        private readonly Dictionary<string, int> _counts = [];
        private char[] _key = new char[64];

        /// <summary>Counts one more connection of a group, and returns their number.</summary>
        public int Next(ReadOnlySpan<byte> group)
        {
            if (_key.Length < group.Length)
            {
                _key = new char[group.Length];
            }

            int length = Encoding.Latin1.GetChars(group, _key);
            Dictionary<string, int>.AlternateLookup<ReadOnlySpan<char>> counts = _counts.GetAlternateLookup<ReadOnlySpan<char>>();
            _ = counts.TryGetValue(_key.AsSpan(0, length), out int count);
            counts[_key.AsSpan(0, length)] = ++count;
            return count;
        }
    }
}
