using TcpCloser.Proc;

namespace TcpCloser.Kill;

/// <summary>The process that sockets are fetched from, open as long as it is the same one.</summary>
internal sealed class OpenProcess(IProcessTable table) : IDisposable
{
    private const int NoHandle = -1;

    private int _handle = NoHandle;
    private int _pid;

    /// <summary>Fetches a descriptor of a process. Returns a handle or minus the errno; <paramref name="isOpen"/>: the process itself could be opened.</summary>
    public int FetchSocket(int pid, int fd, out bool isOpen)
    {
        if (_handle < 0 || _pid != pid)
        {
            Dispose();
            (_handle, _pid) = (table.OpenProcess(pid), pid);
        }

        isOpen = _handle >= 0;
        return isOpen ? table.FetchSocket(_handle, fd) : _handle;
    }

    public void Dispose()
    {
        if (_handle >= 0)
        {
            table.Close(_handle);
        }

        _handle = NoHandle;
    }
}
