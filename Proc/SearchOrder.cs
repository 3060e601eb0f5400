using TcpCloser.Interop;

namespace TcpCloser.Proc;

/// <summary>
/// In which order processes are looked into where one holder of each socket is enough: first those that held the sockets of the last
/// search, then those of the users whom the sockets belong to, and of each kind those with few descriptors before those with many,
/// because they cost the least.
/// </summary>
internal sealed class SearchOrder
{
    private const ulong MostDescriptors = (1 << 30) - 1;

    private readonly HashSet<int> _lastHolders = [];

    /// <summary>The ids of all processes there are.</summary>
    /// <param name="table">Where the processes are.</param>
    /// <param name="uids">Whom the sockets belong to.</param>
    /// <exception cref="SystemCallException">The processes could not be listed.</exception>
    public List<int> Processes(IProcessTable table, IReadOnlySet<uint> uids)
    {
        List<int> pids = DescriptorWalk.AllProcesses(table);
        var keys = new ulong[pids.Count];
        for (int i = 0; i < keys.Length; i++)
        {
            int pid = pids[i];
            bool isSeen = table.Look(pid, out uint user, out ulong descriptors) == 0;
            ulong kind = _lastHolders.Contains(pid) ? 0u : isSeen && uids.Contains(user) ? 1u : 2u;
            keys[i] = kind << 62 | Math.Min(descriptors, MostDescriptors) << 32 | (uint)pid;
        }

        Array.Sort(keys);
        for (int i = 0; i < keys.Length; i++)
        {
            pids[i] = (int)(uint)keys[i];
        }

        return pids;
    }

    /// <summary>Keeps in mind where sockets were found.</summary>
    public void Remember(List<SocketHolder> holders)
    {
        if (holders.Count > 0)
        {
            _lastHolders.Clear();
            foreach (SocketHolder holder in holders)
            {
                _lastHolders.Add(holder.Pid);
            }
        }
    }
}
