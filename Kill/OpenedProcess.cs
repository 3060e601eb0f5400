using TcpCloser.Proc;

namespace TcpCloser.Kill;

/// <summary>The process whose sockets are fetched, one at a time: those of one process come one after the other.</summary>
internal sealed class OpenedProcess(IProcessTable table) : IDisposable
{
    private const int NoHandle = -1;

    private int _pid;

    /// <summary>The handle of the process; negative where none is open.</summary>
    public int Handle { get; private set; } = NoHandle;

    /// <summary>Opens the process, where it is not the one that is open. Returns 0 or the errno.</summary>
    public int Open(int pid)
    {
        if (Handle < 0 || _pid != pid)
        {
            Close();
            Handle = table.OpenProcess(pid);
            _pid = pid;
        }

        return Math.Max(-Handle, 0);
    }

    public void Close()
    {
        if (Handle >= 0)
        {
            table.Close(Handle);
        }

        Handle = NoHandle;
    }

    public void Dispose() => Close();
}
