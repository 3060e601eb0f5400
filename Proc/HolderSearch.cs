namespace TcpCloser.Proc;

/// <summary>Looks for the processes that hold wanted sockets: one walk over /proc/PID/fd for all of them, as far as its caller lets it go.</summary>
internal sealed class HolderSearch : IDisposable
{
    private readonly IProcessTable _table;
    private readonly Predicate<uint> _isWanted;
    private readonly HashSet<uint>? _counted;
    private readonly HashSet<uint> _others = [];
    private readonly ProcessGuard _guard;
    private readonly DescriptorWalk _walk;
    private SocketHolder? _holder;

    /// <param name="table">Where the processes are.</param>
    /// <param name="pids">Those to look into, in that order.</param>
    /// <param name="isWanted">Whether a socket of that inode is to be found.</param>
    /// <param name="wanted">How many those are at most.</param>
    /// <param name="counted">Sockets of which each holder's number is to be told, the wanted ones not counted; null: none.</param>
    public HolderSearch(IProcessTable table, IReadOnlyList<int> pids, Predicate<uint> isWanted, int wanted, HashSet<uint>? counted = null)
    {
        (_table, _isWanted, _counted) = (table, isWanted, counted);
        _guard = new ProcessGuard(table);
        _walk = new DescriptorWalk(table, pids);
        Owners = new SocketOwners(_guard.Unreadable, wanted);
    }

    /// <summary>What was found so far.</summary>
    public SocketOwners Owners { get; }

    /// <summary>The process that the last <see cref="Next"/> came to, and all wanted sockets that it holds.</summary>
    public SocketHolder Holder => _holder!;

    /// <summary>Goes to the next process that holds a wanted socket, and looks at all of its descriptors.</summary>
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
                _holder.Sockets.Add(new HeldSocket(_walk.Fd, _walk.Inode));
                Owners.Add(_walk.Inode, _holder);
            }
            else if (_counted is not null && _counted.Contains(_walk.Inode))
            {
                _others.Add(_walk.Inode);
            }
        }

        if (_holder is not null)
        {
            _holder.OtherConnections = _counted is null ? null : _others.Count;
            _holder.IsPartlyKnown = _walk.Errno != 0;
            Owners.Holders.Add(_holder);
        }

        if (_walk.Errno != 0)
        {
            Owners.Unreadable.Add(_walk.Pid, _walk.FailedOperation, _walk.Errno);
        }
    }

    private SocketHolder NewHolder(int pid) => new(pid)
    {
        Comm = ProcFile.Comm(_table, pid),
        Protection = _guard.Protection(pid, out uint? effectiveUid),
        EffectiveUid = effectiveUid,
    };
}
