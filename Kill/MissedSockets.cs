using TcpCloser.Diag;
using TcpCloser.Interop;

namespace TcpCloser.Kill;

/// <summary>
/// Sockets that SOCK_DESTROY did not find although they are there. The kernel looks them up by their addresses before it compares
/// the cookie: of several SO_REUSEPORT listeners it finds one by hash, and of two connections that differ only in their device
/// perhaps the other.
/// </summary>
internal static class MissedSockets
{
    /// <summary>In place of an errno: the kernel does not find it, however often it is asked, and it is there.</summary>
    public const int StillThere = -2;

    /// <summary>Destroys those of the batch that were missed, again and again as long as that helps: a group of listeners shrinks.</summary>
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
            var listed = new ListedCookies(missed);
            before = missed.Count;
            int errno = dump.Run(network, ListedCookies.Request, listed);
            again.Clear();
            for (int i = 0; i < batch.Count; i++)
            {
                ulong cookie = candidates[batch.Indexes[i]].Cookie;
                if (batch.Errnos[i] is Errno.ENOENT or StillThere && missed.Contains(cookie))
                {
                    // What is not listed is gone. Without a list it is not known.
                    batch.Errnos[i] = errno != 0 ? DestroyBatch.Unknown : listed.Found.Contains(cookie) ? StillThere : Errno.ENOENT;
                    if (batch.Errnos[i] == StillThere)
                    {
                        again.Add(batch.Indexes[i]);
                    }
                }
            }

            again.Run();
            Take(candidates, batch, again, missed);
        }
        while (missed.Count > 0 && missed.Count < before);
    }

    private static HashSet<ulong> FindMissed(ConnectionList candidates, DestroyBatch batch)
    {
        var missed = new HashSet<ulong>();
        for (int i = 0; i < batch.Count; i++)
        {
            ref Connection connection = ref candidates[batch.Indexes[i]];
            if (batch.Errnos[i] == Errno.ENOENT && (connection.State == TcpState.Listen || connection.Interface != 0))
            {
                missed.Add(connection.Cookie);
            }
        }

        return missed;
    }

    /// <summary>Takes over what became of those that were tried again; <paramref name="missed"/> keeps those that were missed once more.</summary>
    private static void Take(ConnectionList candidates, DestroyBatch batch, DestroyBatch again, HashSet<ulong> missed)
    {
        missed.Clear();
        for (int i = 0, j = 0; i < batch.Count && j < again.Count; i++)
        {
            if (batch.Indexes[i] != again.Indexes[j])
            {
                continue;
            }

            if (again.Errnos[j] == Errno.ENOENT)
            {
                missed.Add(candidates[batch.Indexes[i]].Cookie);
            }
            else
            {
                batch.Errnos[i] = again.Errnos[j];
            }

            j++;
        }
    }

    /// <summary>Which of the wanted cookies a dump lists.</summary>
    private sealed class ListedCookies(HashSet<ulong> wanted) : IDumpSink
    {
        /// <summary>A dump of every TCP socket, listeners included.</summary>
        public static byte[] Request => new DumpQuery(
            new Selection { Families = Cli.Families.IPv4 | Cli.Families.IPv6, States = uint.MaxValue }, RuleContext.Empty, marksAndCgroups: false)
            .Request;

        public HashSet<ulong> Found { get; } = [];

        public void Reset() => Found.Clear();

        public void Add(ref readonly InetDiagMsg message, in SocketAttributes attributes)
        {
            if (wanted.Contains(message.Id.Cookie))
            {
                Found.Add(message.Id.Cookie);
            }
        }
    }
}
