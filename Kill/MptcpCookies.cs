using System.Runtime.InteropServices;
using TcpCloser.Diag;
using TcpCloser.Interop;
using TcpCloser.Rules;

namespace TcpCloser.Kill;

/// <summary>
/// The cookies of the MPTCP connections that the candidate subflows belong to. A subflow has its connection's inode but a cookie of its
/// own; the holder's descriptor has the connection's cookie, which only a dump of MPTCP sockets shows.
/// </summary>
internal sealed class MptcpCookies
{
    private readonly Dictionary<uint, List<ulong>> _cookies = [];

    private MptcpCookies()
    {
    }

    /// <summary>Why some connections may be missing here; 0: none is.</summary>
    public int Errno { get; private set; }

    /// <summary>Looks up the connections of all subflows among the candidates.</summary>
    /// <exception cref="SystemCallException">The sockets could not be listed.</exception>
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

    /// <summary>Whether a descriptor with this cookie refers to the MPTCP connection with this inode.</summary>
    public bool IsConnection(uint inode, ulong cookie) => _cookies.TryGetValue(inode, out List<ulong>? cookies) && cookies.Contains(cookie);

    /// <summary>
    /// Whether a process still has the MPTCP connection with this inode open. After the last holder has closed it, its subflows keep the
    /// inode until the kernel has wound them down.
    /// </summary>
    public bool IsOpen(uint inode) => _cookies.ContainsKey(inode);

    private void Add(ref readonly InetDiagMsg message, in SocketAttributes attributes)
    {
        ref List<ulong>? known = ref CollectionsMarshal.GetValueRefOrAddDefault(_cookies, message.IdiagInode, out _);
        (known ??= []).Add(message.Id.Cookie);
    }

    private void Add(SocketDump dump, NetworkNamespace network, int family)
    {
        int errno = dump.Run(network, DumpRequest.BuildMptcp((byte)family), Add);
        Errno = errno != 0 ? errno : Errno;
    }

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
