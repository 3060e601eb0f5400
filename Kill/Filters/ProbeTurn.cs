using TcpCloser.Diag;
using TcpCloser.Interop;
using TcpCloser.Proc;
using TcpCloser.Rules;

namespace TcpCloser.Kill;

/// <summary>
/// Keeps two runs from probing at the same time. A probe clears SO_REUSEADDR for a microsecond; a second run that read the option within
/// that microsecond would leave it off. The lock is a flock(2) on the network namespace of the sockets, which the kernel releases if its
/// holder ends.
/// </summary>
internal sealed class ProbeTurn(IClock clock) : IDisposable
{
    /// <summary>
    /// A run holds the lock for a few milliseconds, or longer on a busy machine. Anybody may lock the file, so a lock that is held for longer than this is ignored
    /// from then on.
    /// </summary>
    private const int PatienceMs = 5_000;

    private const int NoFile = -1;

    private int _file = NoFile;
    private bool _isIgnored;

    /// <summary>
    /// Waits for the lock of a network namespace, and releases that of another one. Returns false if a stop was requested meanwhile.
    /// </summary>
    public bool Take(OpenedFile network, IStopSource stop)
    {
        if (network.Descriptor == _file || network.Errno != 0 || _isIgnored)
        {
            return true;
        }

        Release();
        for (long until = clock.NowMs + PatienceMs; Fcntl.TryLock(network.Descriptor) == Errno.EAGAIN;)
        {
            if (stop.StopRequested())
            {
                return false;
            }

            if (clock.NowMs >= until)
            {
                _isIgnored = true;
                return true;
            }

            clock.Sleep(1);
        }

        _file = network.Descriptor;
        return true;
    }

    public void Release()
    {
        if (_file != NoFile)
        {
            Fcntl.Unlock(_file);
            _file = NoFile;
        }
    }

    public void Dispose() => Release();
}
