using TcpCloser.Diag;
using TcpCloser.Interop;
using TcpCloser.Rules;

namespace TcpCloser.Kill;

/// <summary>
/// Retries sockets that SOCK_DESTROY did not find although they exist. The kernel looks sockets up by address before it compares the
/// cookie. Among several SO_REUSEPORT listeners, it picks one by hash; of two connections that differ only in their device, it may pick the
/// wrong one.
/// </summary>
internal static class MissedSockets
{
    /// <summary>A dump of every TCP socket, listeners included.</summary>
    private static readonly DumpQuery s_everySocket = new(
        new Selection { Families = Families.IPv4 | Families.IPv6, States = uint.MaxValue }, RuleContext.Empty, marksAndCgroups: false);

    /// <summary>
    /// Destroys the missed sockets of the batch, and repeats that while it makes progress: each pass shrinks a group of listeners.
    /// </summary>
    /// <exception cref="SystemCallException">No netlink socket can be opened; the verdicts of the batch are unchanged.</exception>
    public static void Retry(SocketDump dump, NetworkNamespace network, ConnectionList candidates, DestroyBatch batch)
    {
        HashSet<ulong> missed = FindMissed(candidates, batch);
        if (missed.Count == 0)
        {
            return;
        }

        using var again = new DestroyBatch(network, candidates);
        int before;
        do
        {
            var listed = new HashSet<ulong>();
            before = missed.Count;
            int errno = dump.Run(network, s_everySocket.Request, (ref readonly InetDiagMsg message, in SocketAttributes _) =>
            {
                if (missed.Contains(message.Id.Cookie))
                {
                    listed.Add(message.Id.Cookie);
                }
            }, listed.Clear);
            again.Clear();
            foreach (ref DestroyItem item in batch.Items)
            {
                ulong cookie = candidates[item.Index].Cookie;
                if (item.Verdict is not (DestroyVerdict.Gone or DestroyVerdict.StillThere) || !missed.Contains(cookie))
                {
                    continue;
                }

                // A socket that is not listed is gone. Without a list, the result is unknown.
                if (errno != 0)
                {
                    item.Set(DestroyVerdict.Unknown);
                }
                else if (listed.Contains(cookie))
                {
                    item.Set(DestroyVerdict.StillThere);
                    again.Add(item.Index);
                }
                else
                {
                    item.SetAnswer(Errno.ENOENT);
                }
            }

            again.Run();
            CopyVerdicts(candidates, batch, again, missed);
        }
        while (missed.Count > 0 && missed.Count < before);
    }

    /// <summary>Gives up: whether the sockets that may have been missed exist is unknown.</summary>
    public static void CompleteUnknown(ConnectionList candidates, DestroyBatch batch)
    {
        HashSet<ulong> missed = FindMissed(candidates, batch);
        foreach (ref DestroyItem item in batch.Items)
        {
            if (missed.Contains(candidates[item.Index].Cookie))
            {
                item.Set(DestroyVerdict.Unknown);
            }
        }
    }

    private static HashSet<ulong> FindMissed(ConnectionList candidates, DestroyBatch batch)
    {
        var missed = new HashSet<ulong>();
        foreach (ref DestroyItem item in batch.Items)
        {
            ref Connection connection = ref candidates[item.Index];
            if (item.Verdict == DestroyVerdict.Gone && (connection.State == TcpState.Listen || connection.Interface != 0))
            {
                missed.Add(connection.Cookie);
            }
        }

        return missed;
    }

    /// <summary>
    /// Copies the verdicts of the retried sockets. Afterwards, <paramref name="missed"/> contains the sockets that were missed again.
    /// </summary>
    private static void CopyVerdicts(ConnectionList candidates, DestroyBatch batch, DestroyBatch again, HashSet<ulong> missed)
    {
        missed.Clear();
        for (int i = 0, j = 0; i < batch.Count && j < again.Count; i++)
        {
            ref DestroyItem item = ref batch.Items[i];
            ref DestroyItem retried = ref again.Items[j];
            if (item.Index != retried.Index)
            {
                continue;
            }

            if (retried.Verdict == DestroyVerdict.Gone)
            {
                missed.Add(candidates[item.Index].Cookie);
            }
            else
            {
                item = retried;
            }

            j++;
        }
    }
}
