using TcpCloser.Diag;
using TcpCloser.Interop;

namespace TcpCloser.Kill;

/// <summary>Ends connections by SOCK_DESTROY, on several threads where there are many, and tells of them in the order of the list.</summary>
/// <param name="ladder">
/// Whether another method follows: then what this one cannot do stays idle, which is MPTCP, and everything on a kernel without
/// SOCK_DESTROY. Missing privilege is not that.
/// </param>
internal sealed class SockDestroyer(bool ladder) : IConnectionCloser
{
    /// <summary>Below this many connections a thread costs more than it saves.</summary>
    private const int WorthThreads = 512;

    /// <summary>The locks of the kernel's tables let no more than a few threads gain.</summary>
    private const int MaxThreads = 4;

    private volatile int _hopeless;
    private volatile bool _stop;

    /// <summary>Whether the errno is met by every connection alike.</summary>
    public static bool IsHopeless(int errno) => errno == Errno.EPERM || IsUnsupported(errno);

    /// <summary>Whether the errno says that the kernel has no SOCK_DESTROY: EINVAL before Linux 4.5.</summary>
    private static bool IsUnsupported(int errno) => errno is Errno.EOPNOTSUPP or Errno.EINVAL;

    public void Close(ConnectionList doomed, IWitness witness, Func<bool> stopRequested)
    {
        _hopeless = 0;
        _stop = false;
        foreach ((NetworkNamespace network, int start, int end) in doomed.Parts)
        {
            DestroyBatch own;
            try
            {
                own = new DestroyBatch(network);
            }
            catch (SystemCallException e)
            {
                // One namespace that cannot be entered any more is no reason to leave the others.
                for (int i = start; i < end; i++)
                {
                    doomed[i].Outcome = Outcome.Failed;
                    doomed[i].FailedErrno = (byte)e.Errno;
                }

                witness.Settled(doomed, start, end);
                witness.Hindered(e.Message, IsHopeless(e.Errno));
                continue;
            }

            using (own)
            {
                Close(own, network, doomed, start, end, witness, stopRequested);
            }
        }

        if (_hopeless != 0 && !(ladder && IsUnsupported(_hopeless)))
        {
            witness.Hindered("SOCK_DESTROY: " + Remedy(_hopeless), IsHopeless(_hopeless));
        }
    }

    /// <summary>What to do about an errno.</summary>
    public static string Remedy(int errno) => Errno.Describe(errno) + ": " + errno switch
    {
        Errno.EPERM => "CAP_NET_ADMIN is missing; run as root, or give it with setcap cap_net_admin+ep",
        Errno.EOPNOTSUPP or Errno.EINVAL => "this kernel has no SOCK_DESTROY (CONFIG_INET_DIAG_DESTROY, Linux 4.5); " +
            "--method disconnect closes without it, --use-proc kills the processes that hold the connections",
        _ => "nothing more was tried",
    };

    /// <summary>Ends the connections of one namespace.</summary>
    private void Close(
        DestroyBatch own, NetworkNamespace network, ConnectionList doomed, int start, int end, IWitness witness, Func<bool> stopRequested)
    {
        int batches = (end - start + DestroyBatch.MaxLength - 1) / DestroyBatch.MaxLength;
        var queue = new BatchQueue(batches);
        var others = new List<DestroyBatch>();
        var threads = new List<WorkerThread>();
        try
        {
            int helpers = end - start < WorthThreads ? 0 : Math.Min(batches, Math.Min(Environment.ProcessorCount, MaxThreads)) - 1;
            while (threads.Count < helpers && TryOpen() is { } other && WorkerThread.TryStart(() => Work(other)) is { } thread)
            {
                threads.Add(thread);
            }

            // This thread tells what is done, and works where the next to be told is not.
            for (int i = 0; i < batches; i++)
            {
                while (!queue.IsDone(i) && TryRunNext(own))
                {
                }

                queue.Await(i);
                Tell(i);
            }
        }
        catch
        {
            _stop = true; // what can no longer be told is not done either
            throw;
        }
        finally
        {
            threads.ForEach(static thread => thread.Join());
            others.ForEach(static other => other.Dispose());
        }

        // Null where no descriptor is left for another socket: those that there are do it.
        DestroyBatch? TryOpen()
        {
            try
            {
                others.Add(new DestroyBatch(network));
                return others[^1];
            }
            catch (SystemCallException)
            {
                return null;
            }
        }

        void Work(DestroyBatch worker)
        {
            while (TryRunNext(worker))
            {
            }
        }

        bool TryRunNext(DestroyBatch worker)
        {
            if (!queue.TryTake(out int i))
            {
                return false;
            }

            try
            {
                Run(worker, i);
            }
            catch
            {
                _stop = true;
                throw;
            }
            finally
            {
                queue.Finish(i);
            }

            return true;
        }

        void Run(DestroyBatch worker, int i)
        {
            (int from, int to) = Stretch(i);
            if (_hopeless == 0 && !_stop)
            {
                int errno = worker.Destroy(doomed, from, to, sparesMptcp: ladder);
                if (errno != 0)
                {
                    _hopeless = errno;
                }
            }

            Finish(doomed, from, to);
        }

        void Tell(int i)
        {
            (int from, int to) = Stretch(i);
            witness.Settled(doomed, from, to);
            _stop |= stopRequested();
        }

        (int From, int To) Stretch(int i)
        {
            int from = start + i * DestroyBatch.MaxLength;
            return (from, Math.Min(from + DestroyBatch.MaxLength, end));
        }
    }

    /// <summary>Says of what is still idle what that means, and takes back what the next method may try.</summary>
    private void Finish(ConnectionList doomed, int from, int to)
    {
        int hopeless = _hopeless;
        bool nextMethod = ladder && IsUnsupported(hopeless);
        for (int i = from; i < to; i++)
        {
            ref Connection connection = ref doomed[i];
            if (nextMethod && connection.Outcome == Outcome.Failed && IsUnsupported(connection.FailedErrno))
            {
                connection.Outcome = Outcome.Idle;
                connection.FailedErrno = 0;
            }
            else if (connection.Outcome == Outcome.Idle && !nextMethod && !(ladder && connection.IsMptcp))
            {
                connection.Outcome = hopeless != 0 ? Outcome.Failed : Outcome.NotReached;
                connection.FailedErrno = (byte)hopeless;
            }
        }
    }
}
