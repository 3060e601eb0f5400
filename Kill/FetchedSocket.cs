using TcpCloser.Interop;
using TcpCloser.Proc;

namespace TcpCloser.Kill;

/// <summary>A socket fetched from the process that holds it: a duplicate of its descriptor, held for a moment.</summary>
internal readonly ref struct FetchedSocket : IDisposable
{
    private readonly IProcessTable _table;

    public FetchedSocket(IProcessTable table, OpenProcess process, int pid, int fd)
    {
        _table = table;
        int handle = process.FetchSocket(pid, fd, out bool isOpen);
        Operation = isOpen ? Operation.FetchSocket : Operation.OpenProcess;
        Errno = handle < 0 ? -handle : table.ReadCookie(handle, out Cookie);
        Handle = handle;
    }

    /// <summary>Negative where it could not be fetched.</summary>
    public int Handle { get; }

    /// <summary>The kernel's number of the socket: the descriptor may be another socket by now.</summary>
    public readonly ulong Cookie;

    /// <summary>Why it could not be fetched; 0: it was. A descriptor that is closed or no socket any more is <see cref="IsGone"/>.</summary>
    public int Errno { get; }

    /// <summary>What failed with <see cref="Errno"/>.</summary>
    public Operation Operation { get; }

    /// <summary>Whether the process has ended, or does not have the socket under that number any more.</summary>
    public bool IsGone => Errno is Interop.Errno.EBADF or Interop.Errno.ESRCH or Interop.Errno.ENOTSOCK;

    public void Dispose()
    {
        if (Handle >= 0)
        {
            _table.Close(Handle);
        }
    }
}
