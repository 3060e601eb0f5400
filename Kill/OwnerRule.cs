using TcpCloser.Diag;
using TcpCloser.Proc;

namespace TcpCloser.Kill;

/// <summary>
/// Whose processes may be signalled for a connection: those of the user whom the socket belongs to, or anybody's where that is
/// root, who hands sockets down (inetd, systemd, sshd). Who merely received a user's descriptor, as a bus daemon does, is left
/// alone: any user can make a process a holder of his socket, by sending it over a Unix socket.
/// </summary>
internal static class OwnerRule
{
    private const uint Root = 0;

    /// <summary>The kernel's overflow uid (user_namespaces(7)): somebody whom this user namespace does not know.</summary>
    private const uint Overflow = 65534;

    /// <summary>
    /// Whether it is known that no process holds the connection, so that only the kernel can close it; null: one does, or what could not
    /// be looked at may.
    /// </summary>
    public static Outcome? NoOwner(ref readonly Connection connection, SocketOwners owners) =>
        connection.Inode == 0 || (owners.Of(connection.Inode).Length == 0 && owners.Unreadable.Count == 0) ? Outcome.NoOwner : null;

    /// <summary>
    /// Why no process is signalled for the connection; null: its holders may be. One holder that has to stay keeps the connection
    /// open, so none of the others is signalled in vain.
    /// </summary>
    public static Outcome? Reason(ref readonly Connection connection, SocketHolder[] holders)
    {
        Outcome? reason = holders.Length == 0 ? Outcome.NoOwner : null;
        foreach (SocketHolder holder in holders)
        {
            if (holder.Protection is not null)
            {
                return Outcome.OwnerProtected;
            }

            bool isOwners = connection.Uid == Root || (connection.Uid != Overflow && holder.EffectiveUid == connection.Uid);
            reason = isOwners ? reason : Outcome.OwnerOther;
        }

        return reason;
    }
}
