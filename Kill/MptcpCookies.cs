using System.Runtime.InteropServices;
using TcpCloser.Diag;
using TcpCloser.Interop;

namespace TcpCloser.Kill;

/// <summary>
/// The cookies of the MPTCP connections behind subflows that are to be closed. A subflow has its connection's inode but a cookie
/// of its own; the owner's descriptor has the connection's cookie, which only a dump of MPTCP sockets tells.
/// </summary>
internal sealed class MptcpCookies : IDumpSink
{
    private readonly Dictionary<uint, List<ulong>> _cookies = [];

    private MptcpCookies()
    {
    }

    /// <summary>Looks up the connections of all subflows among the candidates.</summary>
    /// <exception cref="SystemCallException">The kernel could not be asked.</exception>
    public static MptcpCookies Find(SocketDump dump, ConnectionList candidates)
    {
        var cookies = new MptcpCookies();
        foreach ((NetworkNamespace network, int start, int end) in candidates.Parts)
        {
            if (HasSubflows(candidates, start, end))
            {
                cookies.Add(dump, network, Socket.AF_INET);
                cookies.Add(dump, network, Socket.AF_INET6);
            }
        }

        return cookies;
    }

    /// <summary>Whether a descriptor with that cookie is the MPTCP connection that has the inode.</summary>
    public bool IsConnection(uint inode, ulong cookie) => _cookies.TryGetValue(inode, out List<ulong>? cookies) && cookies.Contains(cookie);

    /// <summary>Nothing to forget: what an aborted dump brought is as true as the rest.</summary>
    public void Reset()
    {
    }

    public void Add(ref readonly InetDiagMsg message, in SocketAttributes attributes)
    {
        ref List<ulong>? known = ref CollectionsMarshal.GetValueRefOrAddDefault(_cookies, message.IdiagInode, out _);
        (known ??= []).Add(message.Id.Cookie);
    }

    /// <summary>A kernel without MPTCP answers with an error, and has no such connection.</summary>
    private void Add(SocketDump dump, NetworkNamespace network, int family) => _ = dump.Run(network, DumpRequest.BuildMptcp((byte)family), this);

    private static bool HasSubflows(ConnectionList candidates, int start, int end)
    {
        for (int i = start; i < end; i++)
        {
            if (candidates[i].IsMptcp && candidates[i].Inode != 0)
            {
                return true;
            }
        }

        return false;
    }
}
