using TcpCloser.Diag;
using TcpCloser.Proc;

namespace TcpCloser.Kill;

/// <summary>
/// Which processes may be signalled for a connection: those of the user who owns the socket, or those of any user if root owns it, because
/// root's daemons hand sockets down (inetd, systemd, sshd). A process that was merely sent the descriptor, such as a bus daemon, is not
/// signalled: any user can make a process a holder by sending it a socket over a Unix socket.
/// </summary>
/// <param name="overflowUid">
/// The uid that the kernel shows for every user that this user namespace does not map, so that it identifies nobody; null: all users are
/// mapped.
/// </param>
internal sealed class HolderRule(SocketHolders found, uint? overflowUid)
{
    private const uint Root = 0;

    /// <summary>The outcome of a connection without a known holder. A process that could not be looked into may be the holder.</summary>
    public static Outcome Unheld(ref readonly Connection connection, UnreadableProcesses unreadable) =>
        connection.Inode == 0 || unreadable.Count == 0 ? Outcome.NoOwner : Outcome.OwnerUnknown;

    /// <summary>
    /// Returns why no process may be signalled for the connection; null: all of its holders may be. If one holder must not be signalled, it
    /// keeps the connection open, and signalling the others would be in vain.
    /// </summary>
    public Outcome? Reason(ref readonly Connection connection)
    {
        SocketHolder[] holders = found.Of(connection.Inode);
        Outcome? reason = holders.Length == 0 ? Unheld(in connection, found.Unreadable) : null;
        foreach (SocketHolder holder in holders)
        {
            if (holder.Protection is not null)
            {
                return Outcome.OwnerProtected;
            }

            bool mayBeSignalled = connection.Uid == Root || (connection.Uid != overflowUid && holder.EffectiveUid == connection.Uid);
            reason = mayBeSignalled ? reason : Outcome.OwnerOther;
        }

        return reason;
    }
}
