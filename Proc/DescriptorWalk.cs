using System.Buffers.Text;
using TcpCloser.Interop;
using TcpCloser.Rules;

namespace TcpCloser.Proc;

/// <summary>
/// Walks over processes and the sockets that they hold, in the descriptor tables of all their threads. A process or a descriptor that
/// no longer exists is skipped. Any other failure becomes <see cref="Failure"/> of the process, because a descriptor that cannot be read
/// may be a wanted socket.
/// </summary>
internal sealed class DescriptorWalk : IDisposable
{
    private const int NoHandle = -1;

    private readonly IProcessTable _table;
    private readonly IReadOnlyList<int> _pids;
    private readonly List<int> _fds = [];
    private readonly List<int> _threads = [];

    /// <summary>One thread for each descriptor table of the process that was read, in the order of kcmp(2).</summary>
    private readonly List<int> _tables = [];

    private int _nextPid;
    private int _nextThread;
    private int _nextFd;

    public DescriptorWalk(IProcessTable table, IReadOnlyList<int> pids)
    {
        _table = table;
        _pids = pids;
    }

    public int Pid { get; private set; }

    /// <summary>
    /// The thread whose descriptor table has <see cref="Fd"/>: the first one, whose id is that of the process, or another one with a
    /// separate table.
    /// </summary>
    public int Thread { get; private set; }

    public int Fd { get; private set; }

    /// <summary>The inode of the socket behind <see cref="Fd"/>.</summary>
    public uint Inode { get; private set; }

    /// <summary>The directory of the thread's descriptors, open until the next table; negative: it could not be opened.</summary>
    public int Directory { get; private set; } = NoHandle;

    /// <summary>The first failure in reading the descriptors of this process; none so far: default.</summary>
    public Failure Failure { get; private set; }

    /// <summary>The ids of all processes.</summary>
    /// <exception cref="SystemCallException">The processes could not be listed.</exception>
    public static List<int> AllProcesses(IProcessTable table)
    {
        var pids = new List<int>();
        Failure.If(Operation.ListProcesses, table.ListProcesses(pids)).ThrowIfAny();
        return pids;
    }

    /// <summary>
    /// Whether the first thread of a process has ended while others continue. Then it has no descriptors, and /proc/PID/fd belongs to
    /// root, which denies access to the user of the process.
    /// </summary>
    public static bool HasFirstThreadEnded(IProcessTable table, int pid) =>
        table.ReadFile(pid, "stat"u8, out byte[] content) == 0 && ProcessStat.TryParse(content, out ProcessStat stat) && stat.IsZombie;

    /// <summary>Moves to the next process that still exists.</summary>
    public bool NextProcess()
    {
        Failure = default;
        while (_nextPid < _pids.Count)
        {
            Pid = _pids[_nextPid++];
            _threads.Clear();
            _nextThread = 0;
            _tables.Clear();
            _tables.Add(Pid);
            int errno = OpenTable(Pid);
            if (errno is not (Errno.ENOENT or Errno.ESRCH))
            {
                if (errno is not (Errno.EACCES or Errno.EPERM) || !HasFirstThreadEnded(_table, Pid))
                {
                    Fail(Operation.ListDescriptors, errno);
                }

                return true;
            }
        }

        CloseDirectory();
        return false;
    }

    /// <summary>Moves to the next descriptor of the process that is a socket.</summary>
    public bool NextSocket()
    {
        do
        {
            while (_nextFd < _fds.Count)
            {
                Fd = _fds[_nextFd++];
                int errno = ReadSocket(_table, Directory, Fd, out uint inode);
                if (errno is not (0 or Errno.ENOENT or Errno.ESRCH))
                {
                    Fail(Operation.ReadDescriptor, errno);
                }
                else if (errno == 0 && inode != 0)
                {
                    Inode = inode;
                    return true;
                }
            }
        }
        while (NextTable());

        return false;
    }

    /// <summary>Reads the inode of the socket behind a descriptor; 0: it is not a socket. Returns 0 or the errno.</summary>
    /// <param name="directory">The open directory of the descriptors.</param>
    public static int ReadSocket(IProcessTable table, int directory, int fd, out uint inode)
    {
        ReadOnlySpan<byte> prefix = "socket:["u8;
        Span<byte> target = stackalloc byte[32];
        int errno = table.ReadDescriptor(directory, fd, target, out int length);
        inode = 0;
        _ = length > prefix.Length && target.StartsWith(prefix) && Utf8Parser.TryParse(target[prefix.Length..length], out inode, out _);
        return errno;
    }

    public void Dispose() => CloseDirectory();

    /// <summary>
    /// Moves to the next thread of the process with a separate descriptor table. If the first table was refused, the others would be too.
    /// </summary>
    private bool NextTable()
    {
        if (_threads.Count == 0 && Failure.IsNone)
        {
            int errno = _table.ListThreads(Pid, _threads);
            Fail(Operation.ListDescriptors, errno is Errno.ENOENT or Errno.ESRCH ? 0 : errno);
        }

        while (Failure.IsNone && _nextThread < _threads.Count)
        {
            int thread = _threads[_nextThread++];
            if (thread != Pid && IsNewTable(thread))
            {
                int errno = OpenTable(thread);
                Fail(Operation.ListDescriptors, errno is Errno.ENOENT or Errno.ESRCH ? 0 : errno);
                return true;
            }
        }

        return false;
    }

    /// <summary>
    /// Whether the table of a thread has not been read yet. If the tables cannot be compared (a kernel without kcmp(2), a seccomp
    /// filter), the table is read in any case.
    /// </summary>
    private bool IsNewTable(int thread)
    {
        int low = 0;
        int high = _tables.Count;
        while (low < high)
        {
            int middle = (low + high) / 2;
            int errno = _table.CompareDescriptors(_tables[middle], thread, out int order);
            if (errno == 0 && order == Kcmp.Equal)
            {
                return false;
            }

            if (errno != 0 || order is not (Kcmp.Less or Kcmp.Greater))
            {
                break;
            }

            (low, high) = order == Kcmp.Less ? (middle + 1, high) : (low, middle);
        }

        _tables.Insert(low, thread);
        return true;
    }

    /// <summary>Opens and lists the descriptors of a thread of the process. Returns 0 or the errno.</summary>
    private int OpenTable(int thread)
    {
        CloseDirectory();
        _fds.Clear();
        _nextFd = 0;
        Thread = thread;
        int errno = _table.OpenDescriptors(Pid, thread, out int directory);
        Directory = directory;
        return errno != 0 ? errno : _table.ListDescriptors(directory, _fds);
    }

    /// <summary>Records a failure unless one was recorded before; an errno of 0 is none.</summary>
    private void Fail(Operation operation, int errno)
    {
        if (Failure.IsNone)
        {
            Failure = Failure.If(operation, errno);
        }
    }

    private void CloseDirectory()
    {
        if (Directory >= 0)
        {
            _table.Close(Directory);
        }

        Directory = NoHandle;
    }
}
