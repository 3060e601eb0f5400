using TcpCloser.Interop;

namespace TcpCloser.Proc;

/// <summary>
/// In which order processes are looked into where one holder of each socket is enough: first those that held the sockets of the last
/// search, then those of the users whom the sockets belong to.
/// </summary>
internal sealed class SearchOrder
{
    private readonly HashSet<int> _lastHolders = [];

    /// <summary>The ids of all processes there are, those first in which a search may soon be over.</summary>
    /// <param name="table">Where the processes are.</param>
    /// <param name="uids">Whom the sockets belong to.</param>
    /// <exception cref="SystemCallException">The processes could not be listed.</exception>
    public List<int> Processes(IProcessTable table, IReadOnlySet<uint> uids)
    {
        List<int> held = [];
        List<int> theirs = [];
        List<int> others = [];
        foreach (int pid in DescriptorWalk.AllProcesses(table))
        {
            List<int> place = _lastHolders.Contains(pid) ? held
                : table.UserOf(pid) is { } uid && uids.Contains(uid) ? theirs
                : others;
            place.Add(pid);
        }

        return [.. held, .. theirs, .. others];
    }

    /// <summary>Keeps in mind where sockets were found.</summary>
    public void Remember(IReadOnlyList<SocketHolder> holders)
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
