using System.Runtime.InteropServices;
using TcpCloser.Rules;

namespace TcpCloser.Proc;

/// <summary>The holders of sockets, as far as a <see cref="HolderSearch"/> has found them.</summary>
/// <param name="unknownProtection">Holders for which it could not be determined whether they may be signalled.</param>
/// <param name="wanted">The maximum number of wanted sockets. Growing a table to a million entries would temporarily take half as much memory again.</param>
internal sealed class SocketHolders(UnreadableProcesses unknownProtection, int wanted)
{
    private readonly Dictionary<uint, SocketHolder[]> _byInode = new(wanted);

    /// <summary>Finds all holders of all wanted sockets.</summary>
    /// <param name="isWanted">Whether the socket with an inode is wanted.</param>
    /// <param name="wanted">The maximum number of wanted sockets.</param>
    /// <param name="counted">Sockets to count for each holder; null: none.</param>
    /// <exception cref="SystemCallException">The processes could not be listed.</exception>
    public static SocketHolders All(IProcessTable table, Predicate<uint> isWanted, int wanted, HashSet<uint>? counted = null)
    {
        using var search = new HolderSearch(table, DescriptorWalk.AllProcesses(table), isWanted, wanted, counted);
        while (search.Next())
        {
            // Never stop early: several processes may hold a socket, which lives as long as one of them does.
        }

        return search.Found;
    }

    /// <summary>The processes that hold wanted sockets, in the order they were found.</summary>
    public List<SocketHolder> Holders { get; } = [];

    /// <summary>Processes with descriptors that could not be read. Each may hold a wanted socket.</summary>
    public UnreadableProcesses Unreadable { get; } = new();

    /// <summary>Whether /proc hides processes. Each hidden process may hold a wanted socket.</summary>
    public bool AreSomeHidden { get; init; }

    /// <summary>Holders for which it could not be determined whether they may be signalled.</summary>
    public UnreadableProcesses UnknownProtection { get; } = unknownProtection;

    /// <summary>The known holders of the socket with an inode.</summary>
    public SocketHolder[] Of(uint inode) => _byInode.TryGetValue(inode, out SocketHolder[]? holders) ? holders : [];

    /// <summary>Adds a holder. All sockets whose only holder it is share one array, because there may be a million of them.</summary>
    public void Add(uint inode, SocketHolder holder)
    {
        ref SocketHolder[]? holders = ref CollectionsMarshal.GetValueRefOrAddDefault(_byInode, inode, out _);
        if (holders is null)
        {
            holders = holder.AsArray;
        }
        else if (holders[^1] != holder)
        {
            holders = [.. holders, holder];
        }
    }
}

/// <summary>A process that holds wanted sockets.</summary>
internal sealed class SocketHolder
{
    public SocketHolder(int pid)
    {
        Pid = pid;
        AsArray = [this];
    }

    /// <summary>The id in the pid namespace of /proc.</summary>
    public int Pid { get; }

    /// <summary>An array with this process only.</summary>
    public SocketHolder[] AsArray { get; }

    /// <summary>The name (/proc/PID/comm), up to 15 bytes in any encoding.</summary>
    public byte[] Comm { get; init; } = [];

    /// <summary>The effective user id; null: it could not be read.</summary>
    public uint? EffectiveUid { get; init; }

    /// <summary>The wanted sockets that the process holds.</summary>
    public List<HeldSocket> Sockets { get; } = [];

    /// <summary>The number of other connections that the process holds, of those to be counted; null: none were counted.</summary>
    public int? OtherConnections { get; set; }

    /// <summary>
    /// The parent if it runs the same program, so that both may share memory; null: it does not, or it was not looked up.
    /// </summary>
    public int? FamilyParent { get; set; }

    /// <summary>Whether the process may hold more sockets, because some of its descriptors could not be read.</summary>
    public bool IsPartlyKnown { get; set; }

    /// <summary>Why the process must not be signalled; null: it may be.</summary>
    public string? Protection { get; init; }
}

/// <summary>A descriptor of a process that refers to a wanted socket.</summary>
internal readonly struct HeldSocket(int fd, uint inode, int thread)
{
    public int Fd { get; } = fd;

    public uint Inode { get; } = inode;

    /// <summary>
    /// The thread whose descriptor table has the descriptor, and through which it is fetched. It is the first thread, whose id is that
    /// of the process, unless the first thread has ended or another one has a separate table (unshare(2) with CLONE_FILES).
    /// </summary>
    public int Thread { get; } = thread;
}
