using System.Diagnostics;
using System.Runtime.InteropServices;
using TcpCloser.Diag;
using TcpCloser.Interop;

namespace TcpCloser.Kill;

/// <summary>
/// Ends connections by signalling the processes that hold them, which ends everything else those processes do too. Each
/// process is looked at again right before its signal, through a pidfd, so that neither a reused pid nor a reused
/// descriptor is hit.
/// </summary>
internal sealed class ProcessKiller(Func<INetlinkSocket> open, IdleRule idleRule, int signal) : IConnectionCloser
{
    /// <summary>How long a connection may take to go after the last signal.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(1);

    public void Close(ConnectionList doomed, IWitness witness, Func<bool> stopRequested)
    {
        int proc = SocketOwners.OpenProc();
        using var lookup = new SocketLookup(open);
        var index = new InodeIndex(doomed);
        var owners = new SocketOwners(proc, index);
        var held = new HeldState[doomed.Count];
        foreach (SocketHolder holder in owners.Holders)
        {
            if (holder.Protection is not null)
            {
                Mark(holder, index, held, HeldState.Protected);
            }
            else if (stopRequested())
            {
                Mark(holder, index, held, HeldState.NotReached);
            }
            else
            {
                SignalHolder(holder, proc, doomed, index, held, lookup, witness);
            }
        }

        _ = Unistd.close(proc);
        Settle(doomed, held, lookup);
        witness.Settled(doomed, 0, doomed.Count);
        if (owners.Unreadable > 0 && Array.Exists(held, state => state == HeldState.None))
        {
            witness.Hindered($"the descriptors of {owners.Unreadable} processes could not be looked at: " +
                "CAP_SYS_PTRACE is missing; run as root", hopeless: true);
        }
        else if (Array.Exists(held, state => state.HasFlag(HeldState.Refused)))
        {
            witness.Hindered("a process may not be signalled: CAP_KILL is missing; run as root", hopeless: true);
        }
    }

    private static void Mark(SocketHolder holder, InodeIndex index, HeldState[] held, HeldState state)
    {
        foreach (HeldSocket socket in holder.Sockets)
        {
            foreach (int i in index.Connections(socket.Inode))
            {
                held[i] |= state;
            }
        }
    }

    private void SignalHolder(
        SocketHolder holder, int proc, ConnectionList doomed, InodeIndex index, HeldState[] held, SocketLookup lookup, IWitness witness)
    {
        int pidfd = (int)Unistd.syscall(Unistd.SYS_pidfd_open, holder.Pid, 0, 0, 0);
        int errno = pidfd < 0 ? Marshal.GetLastPInvokeError() : 0;
        if (errno is 0 or Errno.ENOSYS)
        {
            errno = IsWorthSignalling(holder, proc, doomed, index, held, lookup) ? Send(pidfd, holder.Pid) : Errno.ESRCH;
        }

        if (pidfd >= 0)
        {
            _ = Unistd.close(pidfd);
        }

        if (errno == 0)
        {
            Mark(holder, index, held, HeldState.Signalled);
            witness.Signalled(holder, signal);
        }
        else if (errno != Errno.ESRCH)
        {
            Mark(holder, index, held, HeldState.Refused);
            foreach (HeldSocket socket in holder.Sockets)
            {
                foreach (int i in index.Connections(socket.Inode))
                {
                    doomed[i].FailedErrno = (byte)errno;
                }
            }
        }
    }

    /// <summary>Whether one of its connections still exists under its cookie, is still idle, and is still held by the process.</summary>
    private bool IsWorthSignalling(
        SocketHolder holder, int proc, ConnectionList doomed, InodeIndex index, HeldState[] held, SocketLookup lookup)
    {
        int directory = ProcFile.OpenDirectory(proc, ProcPath.Of(holder.Pid, "fd"u8));
        if (directory < 0)
        {
            return false;
        }

        bool worth = false;
        foreach (HeldSocket socket in holder.Sockets)
        {
            if (worth || ProcFile.SocketInode(directory, socket.Fd) != socket.Inode)
            {
                continue;
            }

            foreach (int i in index.Connections(socket.Inode))
            {
                bool exists = Exists(in doomed[i], lookup, out Connection now, out ReadOnlySpan<byte> info);
                if (exists)
                {
                    idleRule.Judge(ref now, info);
                }

                held[i] |= exists ? now.Outcome == Outcome.Idle ? HeldState.None : HeldState.Busy : HeldState.Gone;
                worth |= exists && now.Outcome == Outcome.Idle;
            }
        }

        _ = Unistd.close(directory);
        return worth;
    }

    private int Send(int pidfd, int pid)
    {
        // Before Linux 5.1 there is no pidfd to signal through; then the moment between the look and the signal stays open.
        nint result = pidfd >= 0
            ? Unistd.syscall(Unistd.SYS_pidfd_send_signal, pidfd, signal, 0, 0)
            : Signal.kill(pid, signal);
        return result == 0 ? 0 : Marshal.GetLastPInvokeError();
    }

    /// <summary>Says what became of each connection; waits for those whose processes were signalled.</summary>
    private static void Settle(ConnectionList doomed, HeldState[] held, SocketLookup lookup)
    {
        long started = Stopwatch.GetTimestamp();
        for (int i = 0; i < doomed.Count; i++)
        {
            ref Connection connection = ref doomed[i];
            HeldState state = held[i];
            bool signalled = state.HasFlag(HeldState.Signalled);
            bool exists = Exists(in connection, lookup, out _, out _);
            while (exists && signalled && Stopwatch.GetElapsedTime(started) < Patience)
            {
                Pause();
                exists = Exists(in connection, lookup, out _, out _);
            }

            connection.Outcome = !exists ? signalled ? Outcome.Killed : Outcome.Vanished
                : state.HasFlag(HeldState.Refused) ? Outcome.Failed
                : signalled ? Outcome.StillThere
                : state.HasFlag(HeldState.NotReached) ? Outcome.NotReached
                : state.HasFlag(HeldState.Busy) ? Outcome.Busy
                : state.HasFlag(HeldState.Protected) ? Outcome.OwnerProtected
                : Outcome.NoOwner;
        }
    }

    /// <summary>
    /// Whether the connection is there and somebody has it. What the kernel winds down by itself after its last owner went
    /// (FIN_WAIT1 to a peer that never answers, FIN_WAIT2, TIME_WAIT) has no inode any more and counts as gone.
    /// </summary>
    private static bool Exists(ref readonly Connection connection, SocketLookup lookup, out Connection now, out ReadOnlySpan<byte> info) =>
        lookup.TryFind(in connection, out now, out info) && (now.Inode != 0 || connection.Inode == 0);

    private static unsafe void Pause() => _ = Poll.poll(null, 0, 1);

    [Flags]
    private enum HeldState : byte
    {
        None = 0,
        Protected = 1,
        Signalled = 2,
        Refused = 4,
        Busy = 8,
        Gone = 16,
        NotReached = 32,
    }
}
