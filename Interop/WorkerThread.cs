using System.Runtime.ExceptionServices;

namespace TcpCloser.Interop;

/// <summary>A thread that shares the work of the one that starts it. What it throws is thrown where it is waited for.</summary>
internal sealed class WorkerThread
{
    /// <summary>Bytes; enough for a few calls, where the default would be 8 MiB of address space.</summary>
    private const int StackSize = 256 * 1024;

    private readonly Thread _thread;
    private Exception? _failure;

    private WorkerThread(Action work)
    {
        _thread = new Thread(Run, StackSize);

        void Run()
        {
            try
            {
                work();
            }
            catch (Exception e)
            {
                _failure = e;
            }
        }
    }

    /// <summary>Starts one; null where no more may be started (RLIMIT_NPROC, pids of the cgroup): the caller has all the work then.</summary>
    public static WorkerThread? TryStart(Action work)
    {
        var worker = new WorkerThread(work);
        try
        {
            worker._thread.Start();
        }
        catch (Exception e) when (e is OutOfMemoryException or ThreadStartException)
        {
            return null;
        }

        return worker;
    }

    /// <summary>Waits until it is done.</summary>
    public void Join()
    {
        _thread.Join();
        if (_failure is not null)
        {
            ExceptionDispatchInfo.Throw(_failure);
        }
    }
}
