using TcpCloser.Diag;
using TcpCloser.Interop;
using TcpCloser.Proc;
using TcpCloser.Rules;

namespace TcpCloser.Kill;

/// <content>The final look at a process and its connections, right before the signal.</content>
internal sealed partial class KillRun
{
    /// <summary>
    /// Whether the process has a connection that a signal may end, that still exists under its cookie, that is still idle, and that the
    /// process still holds.
    /// </summary>
    private bool IsWorthSignalling(SocketHolder holder)
    {
        const int NoHandle = -1;
        int directory = NoHandle;
        Failure failure = default;
        int thread = 0;
        bool isWorth = false;
        foreach (HeldSocket socket in holder.Sockets)
        {
            if (MayEndConnection(socket.Inode))
            {
                if (thread != socket.Thread)
                {
                    CloseDescriptors(directory);
                    thread = socket.Thread;
                    failure = Failure.If(Operation.ListDescriptors, _table.OpenDescriptors(holder.Pid, thread, out directory));
                }

                isWorth = IsStillHeld(holder.Pid, socket, directory, failure) && IsStillIdle(socket.Inode, holder.Pid);
            }

            if (isWorth)
            {
                break;
            }
        }

        CloseDescriptors(directory);
        return isWorth;
    }

    private void CloseDescriptors(int directory)
    {
        if (directory >= 0)
        {
            _table.Close(directory);
        }
    }

    private bool MayEndAnyConnection(SocketHolder holder)
    {
        foreach (HeldSocket socket in holder.Sockets)
        {
            if (MayEndConnection(socket.Inode))
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>Whether a signal may end the connection with this inode, including all of its subflows if it is MPTCP.</summary>
    private bool MayEndConnection(uint inode)
    {
        bool may = false;
        if (_survivors is not null && !_survivors.Contains(inode))
        {
            return false;
        }

        foreach (int i in _index.Connections(inode))
        {
            if (_reasons[i] is not null)
            {
                return false;
            }

            may = true;
        }

        return may;
    }

    /// <param name="failure">Why the directory of descriptors could not be opened; none: it was.</param>
    private bool IsStillHeld(int pid, HeldSocket socket, int directory, Failure failure)
    {
        uint inode = 0;
        failure = !failure.IsNone ? failure
            : Failure.If(Operation.ReadDescriptor, DescriptorWalk.ReadSocket(_table, directory, socket.Fd, out inode));
        if (failure.Errno is not (0 or Errno.ENOENT or Errno.ESRCH))
        {
            foreach (int i in _index.Connections(socket.Inode))
            {
                Refuse(i, failure, pid);
            }
        }

        return failure.IsNone && inode == socket.Inode;
    }

    /// <summary>
    /// Whether the connection with this inode still exists and is idle. An MPTCP connection ends as a whole, so none of its subflows may be
    /// busy.
    /// </summary>
    private bool IsStillIdle(uint inode, int pid)
    {
        bool isIdle = false;
        bool isBusy = false;
        foreach (int i in _index.Connections(inode))
        {
            bool idle = IsStillIdle(i, pid);
            isIdle |= idle;
            isBusy |= !idle && (_held[i] & (HeldState.Busy | HeldState.Refused)) != 0;
        }

        if (isIdle && isBusy)
        {
            foreach (int i in _index.Connections(inode))
            {
                _reasons[i] = (_held[i] & (HeldState.Busy | HeldState.Refused)) != 0 ? _reasons[i] : Outcome.SubflowBusy;
            }
        }

        return isIdle && !isBusy;
    }

    private bool IsStillIdle(int i, int pid)
    {
        Outcome? outcome = _recheck.Run(i, out int errno);
        if (outcome == Outcome.Failed)
        {
            Refuse(i, new Failure(Operation.LookUpSocket, errno), pid);
        }
        else if (outcome is not (null or Outcome.Vanished))
        {
            _held[i] |= HeldState.Busy;
            _busy[i] = outcome.Value;
        }

        return outcome is null;
    }
}
