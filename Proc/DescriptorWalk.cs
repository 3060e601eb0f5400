using System.Buffers.Text;
using TcpCloser.Interop;

namespace TcpCloser.Proc;

/// <summary>
/// Walks over processes and the sockets that they hold. A process or a descriptor that is gone by its turn is passed over; any
/// other failure is <see cref="Errno"/> of the process, because what could not be looked at may be there.
/// </summary>
internal sealed class DescriptorWalk : IDisposable
{
    private const int NoHandle = -1;

    private readonly IProcessTable _table;
    private readonly IReadOnlyList<int> _pids;
    private readonly List<int> _fds = [];
    private int _nextPid;
    private int _nextFd;

    /// <param name="table">Where the processes are.</param>
    /// <param name="pids">Those to look into.</param>
    public DescriptorWalk(IProcessTable table, IReadOnlyList<int> pids)
    {
        _table = table;
        _pids = pids;
    }

    public int Pid { get; private set; }

    public int Fd { get; private set; }

    /// <summary>The inode of the socket that <see cref="Fd"/> is.</summary>
    public uint Inode { get; private set; }

    /// <summary>The folder of the process's descriptors, open until the next process; negative where it could not be opened.</summary>
    public int Folder { get; private set; } = NoHandle;

    /// <summary>Why not every descriptor of this process could be looked at; 0: every one was, so far.</summary>
    public int Errno { get; private set; }

    /// <summary>What failed with <see cref="Errno"/>.</summary>
    public Operation FailedOperation { get; private set; }

    /// <summary>The ids of all processes there are.</summary>
    /// <exception cref="SystemCallException">They could not be listed.</exception>
    public static List<int> AllProcesses(IProcessTable table)
    {
        var pids = new List<int>();
        int errno = table.ListProcesses(pids);
        return errno == 0 ? pids : throw new SystemCallException(Operation.ListProcesses, errno);
    }

    /// <summary>Goes to the next process that is still there.</summary>
    public bool NextProcess()
    {
        Errno = 0;
        while (_nextPid < _pids.Count)
        {
            CloseFolder();
            _fds.Clear();
            _nextFd = 0;
            Pid = _pids[_nextPid++];
            Folder = _table.OpenDescriptors(Pid);
            int errno = Folder < 0 ? -Folder : _table.ListDescriptors(Folder, _fds);
            if (errno is not (Interop.Errno.ENOENT or Interop.Errno.ESRCH))
            {
                Fail(Operation.ListDescriptors, errno);
                return true;
            }
        }

        return false;
    }

    /// <summary>Goes to the next descriptor of the process that is a socket.</summary>
    public bool NextSocket()
    {
        while (_nextFd < _fds.Count)
        {
            Fd = _fds[_nextFd++];
            int errno = ReadSocket(_table, Folder, Fd, out uint inode);
            if (errno is not (0 or Interop.Errno.ENOENT or Interop.Errno.ESRCH))
            {
                Fail(Operation.ReadDescriptor, errno);
            }
            else if (errno == 0 && inode != 0)
            {
                Inode = inode;
                return true;
            }
        }

        return false;
    }

    /// <summary>Reads which socket a descriptor is; inode 0: none. Returns 0 or the errno.</summary>
    public static int ReadSocket(IProcessTable table, int folder, int fd, out uint inode)
    {
        ReadOnlySpan<byte> prefix = "socket:["u8;
        Span<byte> target = stackalloc byte[32];
        int length = table.ReadDescriptor(folder, fd, target);
        inode = 0;
        _ = length > prefix.Length && target.StartsWith(prefix) && Utf8Parser.TryParse(target[prefix.Length..length], out inode, out _);
        return Math.Max(-length, 0);
    }

    public void Dispose() => CloseFolder();

    private void Fail(Operation operation, int errno)
    {
        if (Errno == 0)
        {
            Errno = errno;
            FailedOperation = operation;
        }
    }

    private void CloseFolder()
    {
        if (Folder >= 0)
        {
            _table.Close(Folder);
        }

        Folder = NoHandle;
    }
}
