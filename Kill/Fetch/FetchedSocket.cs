using TcpCloser.Diag;
using TcpCloser.Interop;
using TcpCloser.Proc;
using TcpCloser.Rules;

namespace TcpCloser.Kill;

/// <summary>A socket fetched from its holder: a duplicate of the descriptor, kept only briefly.</summary>
internal readonly ref struct FetchedSocket : IDisposable
{
    private readonly IProcessTable _table;

    public FetchedSocket(OpenProcess process, HeldSocket socket)
    {
        _table = process.Table;
        Failure = process.FetchSocket(socket.Thread, socket.Fd, out int handle);
        Handle = handle;
        if (Failure.IsNone)
        {
            Failure = Failure.If(Operation.FetchSocket, _table.ReadCookie(handle, out Cookie));
        }
    }

    /// <summary>The duplicate descriptor; negative if the socket could not be fetched.</summary>
    public int Handle { get; }

    /// <summary>The socket's cookie, needed because the descriptor may refer to another socket by now.</summary>
    public readonly ulong Cookie;

    /// <summary>
    /// Why it could not be fetched; none: it was. If the descriptor is closed, or no longer a socket, <see cref="IsGone"/> is true.
    /// </summary>
    public Failure Failure { get; }

    /// <summary>Whether the process has ended, or no longer has a socket under that descriptor number.</summary>
    public bool IsGone => Failure.Errno is Errno.EBADF or Errno.ESRCH or Errno.ENOTSOCK;

    public void Dispose()
    {
        if (Handle >= 0)
        {
            _table.Close(Handle);
        }
    }
}

/// <summary>A handle of the process or thread that sockets are fetched from, kept until another one is needed.</summary>
internal sealed class OpenProcess(IProcessTable table) : IDisposable
{
    /// <summary>
    /// A number that no descriptor has. Fetching it checks the permission without touching a socket: EBADF means that fetching is
    /// permitted.
    /// </summary>
    public const int NoDescriptor = int.MaxValue;

    private const int NoHandle = -1;

    private int _handle = NoHandle;
    private int _thread;

    public IProcessTable Table { get; } = table;

    /// <summary>
    /// Fetches a descriptor. Returns why the thread could not be opened or the descriptor not be fetched; none: it was fetched.
    /// </summary>
    /// <param name="thread">
    /// The thread whose descriptor table has it (<see cref="HeldSocket.Thread"/>); usually the id of the process.
    /// </param>
    /// <param name="fd">Its number there.</param>
    public Failure FetchSocket(int thread, int fd, out int socket)
    {
        socket = NoHandle;
        if (_handle < 0 || _thread != thread)
        {
            Dispose();
            _thread = thread;
            int errno = Table.OpenProcess(thread, out _handle);
            if (errno != 0)
            {
                return new Failure(Operation.OpenProcess, errno);
            }
        }

        return Failure.If(Operation.FetchSocket, Table.FetchSocket(_handle, fd, out socket));
    }

    public void Dispose()
    {
        if (_handle >= 0)
        {
            Table.Close(_handle);
        }

        _handle = NoHandle;
    }
}

/// <summary>Ignores a signal until it is disposed, which restores the previous action (sigaction(2)).</summary>
internal sealed class IgnoredSignal : IDisposable
{
    private readonly int _signal;
    private readonly nint[] _before;

    public IgnoredSignal(int signal)
    {
        _signal = signal;
        _before = Signal.Ignore(signal);
    }

    public void Dispose() => Signal.Restore(_signal, _before);
}

/// <summary>An action on a socket that was fetched from its holder.</summary>
/// <param name="socket">The handle of the socket.</param>
/// <param name="outcome">The outcome of the connection; valid only if nothing failed.</param>
internal delegate Failure SocketAction(IProcessTable table, int socket, out Outcome outcome);
