using TcpCloser.Cli;
using TcpCloser.Diag;
using TcpCloser.Interop;
using TcpCloser.Proc;

namespace TcpCloser.Kill;

/// <summary>Ends connections by SOCK_DESTROY: the kernel aborts them, and no process is touched.</summary>
/// <param name="dump">Lists sockets.</param>
/// <param name="own">The network namespace that this process is in.</param>
/// <param name="leavesUnsupported">
/// Whether another method follows: then what the kernel cannot destroy, or not for this user, is left to that one, and so are
/// the subflows of MPTCP, whose owners are not told.
/// </param>
internal sealed class SockDestroyer(SocketDump dump, NetworkNamespace own, bool leavesUnsupported) : ICloseMethod
{
    public string Name => MethodName.Of(Method.Destroy);

    public bool NeedsOwners => false;

    public bool EndsProcesses => false;

    public bool EndsWholeMptcp => false;

    /// <summary>The errno that every connection met alike, so that the rest was not tried; 0: none.</summary>
    public int RefusedErrno { get; private set; }

    /// <summary>SOCK_DESTROY of a connection that cannot exist: ENOENT where the kernel has it.</summary>
    public Ability Check(IReadOnlyList<uint> uids)
    {
        int errno;
        try
        {
            var candidates = new ConnectionList();
            candidates.Begin(own);
            candidates.Add(new Connection { Family = Socket.AF_INET, State = TcpState.Established, Cookie = ulong.MaxValue - 1 });
            using var batch = new DestroyBatch(own, candidates);
            batch.Add(0);
            batch.Run();
            errno = batch.Errnos[0];
            if (errno == Errno.ENOENT)
            {
                // The kernel looks the connection up before it asks for privilege; a filter by mark asks for the same privilege at once.
                errno = FilterCheck.MarkErrno(dump, own) == Errno.EPERM ? Errno.EPERM : 0;
            }
        }
        catch (SystemCallException e)
        {
            return new Ability(Name, e.Errno, e.Operation);
        }

        return new Ability(Name, errno == DestroyBatch.Unknown ? Errno.EIO : errno, Operation.DestroySocket);
    }

    public Outcome? Obstacle(ref readonly Connection connection, SocketOwners owners) => null;

    public void Close(ConnectionList candidates, IResultSink sink, Func<bool> stopRequested)
    {
        RefusedErrno = 0;
        var results = new ResultBatch(sink);
        foreach ((NetworkNamespace network, int start, int end) in candidates.Parts)
        {
            DestroyBatch batch;
            try
            {
                batch = new DestroyBatch(network, candidates);
            }
            catch (SystemCallException e)
            {
                // One namespace that cannot be entered any more is no reason to leave the others.
                Complete(candidates, start, end, Outcome.Failed, e.Errno, results);
                sink.Problem(e.Operation, e.Errno, e.Subject);
                continue;
            }

            using (batch)
            {
                Close(batch, network, candidates, start, end, results, stopRequested);
            }
        }

        if (RefusedErrno != 0 && !leavesUnsupported)
        {
            sink.Problem(Operation.DestroySocket, RefusedErrno);
        }
    }

    /// <summary>Ends the connections of one namespace.</summary>
    private void Close(DestroyBatch batch, NetworkNamespace network, ConnectionList candidates, int start, int end, ResultBatch results,
        Func<bool> stopRequested)
    {
        int next = start;
        while (next < end && RefusedErrno == 0)
        {
            if (stopRequested())
            {
                Complete(candidates, next, end, Outcome.NotReached, 0, results);
                return;
            }

            batch.Clear();
            for (; next < end && batch.Count < ResultBatch.Length; next++)
            {
                if (candidates[next].Outcome == Outcome.Idle && !(leavesUnsupported && candidates[next].IsMptcp))
                {
                    batch.Add(next);
                }
            }

            batch.Run();
            MissedSockets.Retry(dump, network, candidates, batch);
            Tell(candidates, batch, results);
        }

        if (!leavesUnsupported)
        {
            Complete(candidates, next, end, Outcome.Failed, RefusedErrno, results);
        }
    }

    private void Tell(ConnectionList candidates, DestroyBatch batch, ResultBatch results)
    {
        for (int i = 0; i < batch.Count; i++)
        {
            int index = batch.Indexes[i];
            int errno = batch.Errnos[i];
            RefusedErrno = MeetsAll(errno) && candidates[index].State != TcpState.TimeWait ? errno : RefusedErrno;
            bool isLeft = leavesUnsupported && candidates[index].Inode != 0 && (MeetsAll(errno) || errno == MissedSockets.StillThere);
            if (!isLeft)
            {
                results.Add(index, OutcomeOf(errno), errno is DestroyBatch.Unknown or MissedSockets.StillThere ? 0 : errno);
            }
        }

        results.Flush();
    }

    /// <summary>
    /// Missing privilege and a kernel without SOCK_DESTROY (EINVAL before Linux 4.5) refuse every connection alike: then the rest need
    /// not be tried. TIME_WAIT proves nothing, before Linux 6.0 it alone answers EOPNOTSUPP.
    /// </summary>
    private static bool MeetsAll(int errno) => errno is Errno.EPERM or Errno.EOPNOTSUPP or Errno.EINVAL;

    private static Outcome OutcomeOf(int errno) => errno switch
    {
        0 => Outcome.Destroyed,
        Errno.ENOENT => Outcome.Vanished,
        DestroyBatch.Unknown => Outcome.Unknown,
        MissedSockets.StillThere => Outcome.StillThere,
        _ => Outcome.Failed,
    };

    private static void Complete(ConnectionList candidates, int start, int end, Outcome outcome, int errno, ResultBatch results)
    {
        for (int i = start; i < end; i++)
        {
            if (candidates[i].Outcome == Outcome.Idle)
            {
                results.Add(i, outcome, errno);
            }
        }

        results.Flush();
    }
}
