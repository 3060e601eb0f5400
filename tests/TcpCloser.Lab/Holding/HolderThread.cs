using System.Runtime.CompilerServices;

namespace TcpCloser.Lab.Holding;

/// <summary>The thread of a holder that has the sockets open. It determines where /proc shows them.</summary>
internal static class HolderThread
{
    /// <summary>The process's first thread, as in most programs.</summary>
    internal const string First = "first";
    /// <summary>Another thread with its own descriptor table: only its task directory shows the sockets.</summary>
    internal const string OwnTable = "own-table";
    /// <summary>Another thread, after the first one has ended: /proc/PID/fd is empty then.</summary>
    internal const string FirstEnded = "first-ended";
    internal static readonly string[] Kinds = [First, OwnTable, FirstEnded];

    /// <summary>Runs the holder's loop in that thread; returns its exit status.</summary>
    internal static int Run(string kind, Func<int> serve)
    {
        if (kind == First)
        {
            return serve();
        }

        int status = 0;
        Thread thread = new(() =>
        {
            if (kind == OwnTable)
            {
                Errno.Check(Libc.Unshare(Posix.CLONE_FILES), "unshare CLONE_FILES");
            }

            status = serve();
            if (kind == FirstEnded)
            {
                Libc.ExitAtOnce(status);
            }
        });
        thread.Start();
        if (kind == FirstEnded)
        {
            EndThisThread();
        }

        thread.Join();
        return status;
    }

    /// <summary>
    /// Ends only the calling thread, for which the C library has no function that leaves the rest of the process
    /// running.
    /// </summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void EndThisThread() => _ = Libc.SystemCall(Posix.SYS_exit, 0);
}
