using TcpCloser.Rules;

namespace TcpCloser.Proc;

/// <summary>Searches for the processes that hold the wanted sockets, in one walk over /proc that the caller may end early.</summary>
internal sealed class HolderSearch : IDisposable
{
    private readonly IProcessTable _table;
    private readonly Predicate<uint> _isWanted;
    private readonly HashSet<uint>? _counted;
    private readonly HashSet<uint> _others = [];
    private readonly ProcessGuard _guard;
    private readonly DescriptorWalk _walk;
    private SocketHolder? _holder;

    /// <param name="pids">The processes to search, in this order.</param>
    /// <param name="isWanted">Whether the socket with an inode is wanted.</param>
    /// <param name="wanted">The maximum number of wanted sockets.</param>
    /// <param name="counted">Sockets to count for each holder; null: none.</param>
    public HolderSearch(IProcessTable table, IReadOnlyList<int> pids, Predicate<uint> isWanted, int wanted, HashSet<uint>? counted = null)
    {
        (_table, _isWanted, _counted) = (table, isWanted, counted);
        _guard = new ProcessGuard(table);
        _walk = new DescriptorWalk(table, pids);
        Found = new SocketHolders(_guard.Unreadable, wanted) { AreSomeHidden = HiddenProcess.Any(table) };
    }

    /// <summary>The holders found so far.</summary>
    public SocketHolders Found { get; }

    /// <summary>The process that the last <see cref="Next"/> found, with all wanted sockets that it holds.</summary>
    public SocketHolder Holder => _holder!;

    /// <summary>Moves to the next process that holds a wanted socket, and reads all of its descriptors.</summary>
    public bool Next()
    {
        _holder = null;
        while (_holder is null && _walk.NextProcess())
        {
            ReadProcess();
        }

        return _holder is not null;
    }

    public void Dispose() => _walk.Dispose();

    private void ReadProcess()
    {
        _others.Clear();
        while (_walk.NextSocket())
        {
            if (_isWanted(_walk.Inode))
            {
                _holder ??= NewHolder(_walk.Pid);
                _holder.Sockets.Add(new HeldSocket(_walk.Fd, _walk.Inode, _walk.Thread));
                Found.Add(_walk.Inode, _holder);
            }

            if (_counted is not null && _counted.Contains(_walk.Inode))
            {
                _others.Add(_walk.Inode);
            }
        }

        if (_holder is not null)
        {
            _holder.OtherConnections = _counted is null ? null : _others.Count;
            _holder.IsPartlyKnown = !_walk.Failure.IsNone;
            Found.Holders.Add(_holder);
        }

        if (!_walk.Failure.IsNone)
        {
            Found.Unreadable.Add(_walk.Pid, _walk.Failure);
        }
    }

    private SocketHolder NewHolder(int pid) => new(pid)
    {
        Comm = ProcFile.Comm(_table, pid),
        Protection = _guard.Protection(pid, out uint? effectiveUid),
        EffectiveUid = effectiveUid,
    };
}

/// <summary>
/// The order in which processes are searched if one holder of each socket is enough: first those that held the sockets of the last
/// search, then those of the users that the sockets belong to, then the others. Within each kind, processes with few descriptors come
/// first, because they cost the least.
/// </summary>
internal sealed class SearchOrder
{
    private const ulong MaxDescriptors = (1 << 30) - 1;

    private readonly HashSet<int> _lastHolders = [];

    /// <summary>The ids of all processes, in this order.</summary>
    /// <param name="uids">The users that the sockets belong to.</param>
    /// <exception cref="SystemCallException">The processes could not be listed.</exception>
    public List<int> Processes(IProcessTable table, IReadOnlySet<uint> uids)
    {
        List<int> pids = DescriptorWalk.AllProcesses(table);
        var keys = new ulong[pids.Count];
        for (int i = 0; i < keys.Length; i++)
        {
            int pid = pids[i];
            bool isSeen = table.ReadSummary(pid, out uint user, out ulong descriptors) == 0;
            ulong kind = _lastHolders.Contains(pid) ? 0u : isSeen && uids.Contains(user) ? 1u : 2u;
            keys[i] = kind << 62 | Math.Min(descriptors, MaxDescriptors) << 32 | (uint)pid;
        }

        Array.Sort(keys);
        for (int i = 0; i < keys.Length; i++)
        {
            pids[i] = (int)(uint)keys[i];
        }

        return pids;
    }

    /// <summary>Remembers the holders for the next search.</summary>
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
