using System.Diagnostics;
using System.Runtime.InteropServices;
using TcpCloser.Diag;
using TcpCloser.Interop;

namespace TcpCloser.Kill;

/// <summary>One pass of <see cref="ProcessKiller"/>: what is known of each connection, and the steps that change it.</summary>
internal sealed class KillRun(
    ConnectionList doomed, InodeIndex index, ConnectionWatch watch, ProcDirectory proc, IdleRule idleRule, IWitness witness)
{
    private readonly HeldState[] _held = new HeldState[doomed.Count];
    private readonly HashSet<SocketHolder> _signalled = [];

    /// <summary>Whether a connection has no process that was found.</summary>
    public bool HasUnowned => Array.Exists(_held, static state => state == HeldState.None);

    /// <summary>Whether a signal was refused.</summary>
    public bool WasRefused => Array.Exists(_held, static state => state.HasFlag(HeldState.Refused));

    public void Mark(SocketHolder holder, HeldState state)
    {
        foreach (int i in ConnectionsOf(holder))
        {
            _held[i] |= state;
        }
    }

    /// <summary>Signals the process if one of its connections is still to be closed, once for all of them. Returns whether it did.</summary>
    public bool SignalHolder(SocketHolder holder, int signal)
    {
        // Before Linux 5.3 there is no pidfd; then the moment between the look and the signal stays open. Opening one takes no
        // privilege, so EPERM is the word of a container's seccomp filter that is older than the call.
        int pidfd = Pidfd.Open(holder.Pid);
        int errno = pidfd is >= 0 or -Errno.ENOSYS or -Errno.EPERM ? IsWorthSignalling(holder) ? Send(pidfd, holder.Pid, signal) : Errno.ESRCH : -pidfd;
        if (pidfd >= 0)
        {
            _ = Unistd.close(pidfd);
        }

        if (errno == 0)
        {
            _signalled.Add(holder);
            Mark(holder, HeldState.Signalled);
            witness.Signalled(holder, signal);
        }
        else if (errno != Errno.ESRCH)
        {
            foreach (int i in ConnectionsOf(holder))
            {
                _held[i] |= HeldState.Refused;
                doomed[i].FailedErrno = (byte)errno;
            }
        }

        return errno == 0;
    }

    /// <summary>Sends SIGKILL to those signalled before that still have one of the connections. Returns whether there were any.</summary>
    public bool SignalSurvivors(List<SocketHolder> holders)
    {
        bool any = false;
        foreach (SocketHolder holder in holders)
        {
            any |= _signalled.Contains(holder) && SignalHolder(holder, Signal.SIGKILL);
        }

        return any;
    }

    /// <summary>Waits until the connections whose processes were signalled are gone. Returns false where it is time to stop instead.</summary>
    public unsafe bool AwaitGone(TimeSpan patience, Func<bool> stopRequested)
    {
        long started = Stopwatch.GetTimestamp();
        for (int i = 0; i < doomed.Count; i++)
        {
            while (_held[i].HasFlag(HeldState.Signalled) && watch.Exists(i, out _, out _))
            {
                if (stopRequested())
                {
                    return false;
                }

                if (Stopwatch.GetElapsedTime(started) >= patience)
                {
                    return true;
                }

                _ = Poll.poll(null, 0, 1);
            }

            _held[i] |= _held[i].HasFlag(HeldState.Signalled) ? HeldState.Gone : HeldState.None;
        }

        return true;
    }

    /// <summary>Says what became of each connection.</summary>
    public void Settle()
    {
        for (int i = 0; i < doomed.Count; i++)
        {
            HeldState state = _held[i];
            bool signalled = state.HasFlag(HeldState.Signalled);
            doomed[i].Outcome = state.HasFlag(HeldState.Gone) || !watch.Exists(i, out _, out _) ? signalled ? Outcome.Killed : Outcome.Vanished
                : state.HasFlag(HeldState.Refused) ? Outcome.Failed
                : signalled ? Outcome.StillThere
                : state.HasFlag(HeldState.NotReached) ? Outcome.NotReached
                : state.HasFlag(HeldState.Busy) ? Outcome.Busy
                : state.HasFlag(HeldState.Protected) ? Outcome.OwnerProtected
                : Outcome.NoOwner;
        }
    }

    private IEnumerable<int> ConnectionsOf(SocketHolder holder)
    {
        foreach (HeldSocket socket in holder.Sockets)
        {
            foreach (int i in index.Connections(socket.Inode))
            {
                yield return i;
            }
        }
    }

    /// <summary>Whether one of its connections still exists under its cookie, is still idle, and is still held by the process.</summary>
    private bool IsWorthSignalling(SocketHolder holder)
    {
        int directory = ProcFile.OpenDirectory(proc.Descriptor, ProcPath.Of(holder.Pid, "fd"u8));
        if (directory < 0)
        {
            return false;
        }

        bool worth = false;
        foreach (HeldSocket socket in holder.Sockets)
        {
            if (worth)
            {
                break;
            }

            if (ProcFile.SocketInode(directory, socket.Fd) != socket.Inode)
            {
                continue;
            }

            foreach (int i in index.Connections(socket.Inode))
            {
                worth = worth || IsStillIdle(i);
            }
        }

        _ = Unistd.close(directory);
        return worth;
    }

    private bool IsStillIdle(int i)
    {
        if (!watch.Exists(i, out Connection now, out ReadOnlySpan<byte> info))
        {
            return false;
        }

        idleRule.Judge(ref now, info);
        _held[i] |= now.Outcome == Outcome.Idle ? HeldState.None : HeldState.Busy;
        return now.Outcome == Outcome.Idle;
    }

    private static int Send(int pidfd, int pid, int signal)
    {
        if (pidfd >= 0)
        {
            return -Pidfd.SendSignal(pidfd, signal);
        }

        return Signal.kill(pid, signal) == 0 ? 0 : Marshal.GetLastPInvokeError();
    }
}
