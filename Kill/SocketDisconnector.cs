using System.Runtime.InteropServices;
using TcpCloser.Diag;
using TcpCloser.Interop;

namespace TcpCloser.Kill;

/// <summary>
/// Ends connections without SOCK_DESTROY and without a signal: fetches the socket from its owner (pidfd_getfd(2), Linux
/// 5.6) and disconnects it (connect(2) to AF_UNSPEC). The peer gets a reset, the owner an error.
/// </summary>
internal sealed class SocketDisconnector(SocketDump dump) : IConnectionCloser
{
    /// <summary>How many are disconnected between two looks at the signals.</summary>
    private const int StopEvery = 256;

    public void Close(ConnectionList doomed, IWitness witness, Func<bool> stopRequested)
    {
        MptcpTable mptcp = MptcpTable.Resolve(dump, doomed);
        using var proc = new ProcDirectory();
        var index = new InodeIndex(doomed);
        var owners = new SocketOwners(proc.Descriptor, index);
        bool stop = stopRequested();
        int tried = 0;
        foreach (SocketHolder holder in owners.Holders)
        {
            int pidfd = Pidfd.Open(holder.Pid);
            foreach (HeldSocket socket in holder.Sockets)
            {
                stop = stop || (++tried % StopEvery == 0 && stopRequested());
                if (!stop)
                {
                    Disconnect(pidfd, socket, doomed, index, mptcp);
                }
            }

            if (pidfd >= 0)
            {
                _ = Unistd.close(pidfd);
            }
        }

        Settle(doomed, stop, witness);
        Explain(doomed, owners, witness);
    }

    /// <summary>What to do about an errno of <see cref="Outcome.Failed"/>; null: nothing but what the errno says.</summary>
    public static string? Remedy(int errno) => errno switch
    {
        Errno.EPERM or Errno.EACCES => "the right to ptrace the owner is missing; run as root (CAP_SYS_PTRACE)",
        Errno.ENOSYS => "this kernel cannot fetch a socket from its owner (pidfd_getfd, Linux 5.6); " +
            "--use-proc kills the processes that hold the connections",
        Errno.EBUSY => "this kernel (about 6.4 to 6.6) does not disconnect a socket that a thread waits on; " +
            "try again, or --use-proc kills the processes that hold the connections",
        _ => null,
    };

    /// <summary>Disconnects every connection of the inode that is still idle, by the descriptor that one process has of it.</summary>
    private static unsafe void Disconnect(int pidfd, HeldSocket socket, ConnectionList doomed, InodeIndex index, MptcpTable mptcp)
    {
        int fd = pidfd < 0 ? pidfd : Pidfd.GetDescriptor(pidfd, socket.Fd);
        ulong cookie = 0;
        uint length = sizeof(ulong);
        bool known = fd >= 0 && Socket.getsockopt(fd, Socket.SOL_SOCKET, Socket.SO_COOKIE, &cookie, &length) == 0;
        int errno = fd < 0 ? -fd : 0;
        bool disconnected = false;
        foreach (int i in index.Connections(socket.Inode))
        {
            ref Connection connection = ref doomed[i];

            // The descriptor may be another socket by now: only the one with the dumped cookie is meant.
            bool isIt = known && (connection.IsMptcp ? mptcp.IsConnection(connection.Inode, cookie) : connection.Cookie == cookie);
            if (isIt && !disconnected && connection.Outcome is Outcome.Idle)
            {
                SockAddr unspecified = default;
                errno = Socket.connect(fd, &unspecified, (uint)sizeof(SockAddr)) == 0 ? 0 : Marshal.GetLastPInvokeError();
                disconnected = errno == 0;
            }

            if (connection.Outcome == Outcome.Idle)
            {
                connection.Outcome = isIt && disconnected ? Outcome.Disconnected : Outcome.Idle;

                // A closed descriptor and an ended process are no refusal; another holder may still be asked.
                connection.FailedErrno = isIt && disconnected || errno is Errno.EBADF or Errno.ESRCH ? (byte)0 : (byte)errno;
            }
        }

        if (fd >= 0)
        {
            _ = Unistd.close(fd);
        }
    }

    /// <summary>Says what became of those that were not disconnected, and tells of all in order, but for what was told before.</summary>
    private static void Settle(ConnectionList doomed, bool stopped, IWitness witness)
    {
        using var watch = new ConnectionWatch(doomed);
        int untold = 0;
        for (int i = 0; i < doomed.Count; i++)
        {
            ref Connection connection = ref doomed[i];
            if (connection.Outcome == Outcome.Idle)
            {
                connection.Outcome = !watch.Exists(i, out _, out _) ? Outcome.Vanished
                    : connection.FailedErrno != 0 ? Outcome.Failed
                    : stopped ? Outcome.NotReached
                    : Outcome.NoOwner;
            }
            else if (connection.Outcome is not (Outcome.Disconnected or Outcome.SubflowBusy))
            {
                witness.Settled(doomed, untold, i);
                untold = i + 1;
            }
        }

        witness.Settled(doomed, untold, doomed.Count);
    }

    private static void Explain(ConnectionList doomed, SocketOwners owners, IWitness witness)
    {
        int refused = 0;
        bool unowned = false;
        for (int i = 0; i < doomed.Count; i++)
        {
            int errno = doomed[i].Outcome == Outcome.Failed ? doomed[i].FailedErrno : 0;
            refused = errno is Errno.EPERM or Errno.EACCES or Errno.ENOSYS ? errno : refused;
            unowned |= doomed[i].Outcome == Outcome.NoOwner && doomed[i].Inode != 0;
        }

        if (refused != 0)
        {
            witness.Hindered($"disconnecting: {Errno.Describe(refused)}: {Remedy(refused)}", hopeless: true);
        }
        else if (unowned && owners.Unreadable > 0)
        {
            witness.Hindered(owners.WhyUnreadable, hopeless: true);
        }
    }
}
