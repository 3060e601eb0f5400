using TcpCloser.Interop;
using TcpCloser.Proc;

namespace TcpCloser.Kill;

/// <summary>
/// Probes the peer of a socket. setsockopt(TCP_REPAIR, off) on a socket that is not in repair mode makes the kernel send a keepalive
/// segment before the call returns: no data, and the sequence number before the first unacknowledged one (do_tcp_setsockopt,
/// tcp_send_window_probe). The kernel of a live peer acknowledges it, whatever its program does. Timers, counters, retransmissions and
/// options do not change, except SO_REUSEADDR, which the call clears and a second call sets again. Probing needs CAP_NET_ADMIN in the user
/// namespace of the socket's network namespace, and sends a segment only in ESTABLISHED.
/// </summary>
internal static class PeerQuestion
{
    /// <summary>Sends one probe.</summary>
    /// <param name="socket">A descriptor of the socket; the caller may close it right after the call.</param>
    /// <returns>0 or the errno; EPERM without the capability.</returns>
    public static int Ask(IProcessTable table, int socket)
    {
        int errno = table.ReadOption(socket, Socket.SOL_SOCKET, Socket.SO_REUSEADDR, out int reuse);
        errno = errno != 0 ? errno : table.SetOption(socket, Tcp.IPPROTO_TCP, Tcp.TCP_REPAIR, Tcp.TCP_REPAIR_OFF);
        if (errno == 0 && reuse != 0 && table.SetOption(socket, Socket.SOL_SOCKET, Socket.SO_REUSEADDR, reuse) != 0)
        {
            // The kernel never refuses this call. If a system call filter does, a second call may pass.
            _ = table.SetOption(socket, Socket.SOL_SOCKET, Socket.SO_REUSEADDR, reuse);
        }

        return errno;
    }

    /// <summary>Reads whether the socket is in repair mode, for a checkpoint or a restore, which a probe would end.</summary>
    /// <returns>0 or the errno.</returns>
    public static int ReadRepair(IProcessTable table, int socket, out bool isInRepair)
    {
        int errno = table.ReadOption(socket, Tcp.IPPROTO_TCP, Tcp.TCP_REPAIR, out int repair);
        isInRepair = repair != 0;
        return errno;
    }
}
