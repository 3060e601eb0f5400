using TcpCloser.Diag;
using TcpCloser.Interop;
using TcpCloser.Proc;
using TcpCloser.Rules;

namespace TcpCloser.Kill;

/// <content>The holders of the sockets to probe through: found, invisible, or lost since.</content>
internal sealed partial class ProbeRun
{
    /// <summary>A socket that changes holders more often than this while it is probed cannot be tracked.</summary>
    private const int MaxLosses = 10;

    /// <summary>Finds a holder for each peer without a known one; one is enough.</summary>
    /// <exception cref="SystemCallException">The processes could not be listed.</exception>
    private void FindHolders()
    {
        var wanted = new Dictionary<uint, int>();
        var uids = new HashSet<uint>();
        for (int i = 0; i < peers.Count; i++)
        {
            ref Connection connection = ref candidates[peers[i].Index];
            if (peers[i].Pid == 0 && connection.Inode != 0)
            {
                wanted[connection.Inode] = i;
                uids.Add(connection.Uid);
            }
        }

        if (wanted.Count > 0)
        {
            using var search = new HolderSearch(table, round.SearchOrder.Processes(table, uids), wanted.ContainsKey, wanted.Count);
            round.Holders.Take(search.Found, Known.First);
            for (int left = wanted.Count; left > 0 && search.Next();)
            {
                foreach (HeldSocket socket in search.Holder.Sockets)
                {
                    ref ProbedPeer peer = ref peers[wanted[socket.Inode]];
                    left -= peer.Pid == 0 ? 1 : 0;
                    (peer.Pid, peer.Thread, peer.Fd) = peer.Pid == 0 ? (search.Holder.Pid, socket.Thread, socket.Fd) : (peer.Pid, peer.Thread, peer.Fd);
                }
            }

            round.SearchOrder.Remember(search.Found.Holders);
            CompleteUnheld(search.Found.Unreadable);
            peers.SortByProcess();
        }
        else
        {
            CompleteUnheld(unreadable: null);
        }
    }

    /// <summary>Gives a verdict on peers whose sockets have no visible holder.</summary>
    private void CompleteUnheld(UnreadableProcesses? unreadable)
    {
        for (int i = 0; i < peers.Count; i++)
        {
            if (peers[i].Pid == 0)
            {
                CompleteUnheld(i, unreadable);
            }
        }

        _results.Flush();
        peers.Compact();
    }

    private void CompleteUnheld(int i, UnreadableProcesses? unreadable)
    {
        int index = peers[i].Index;
        switch (_watch.Look(index, out _, out SocketFacts facts))
        {
            case Presence.There when ProbeVerdict.HasAnswered(in peers[i], in facts):
                Complete(i, Outcome.Answered);
                break;
            case Presence.Gone: // its holder has closed it since it was listed
                Complete(i, Outcome.Vanished);
                break;
            case Presence.Unknown:
                CompleteUnasked(i, new Failure(Operation.LookUpSocket, _watch.Errno));
                break;
            case Presence.There when candidates[index].Inode != 0 && unreadable is { Count: > 0 }:
                peers.Unasked.AddHidden(unreadable);
                Complete(i, Outcome.Unasked, unreadable.Failure.Errno);
                break;
            case Presence.There:
                peers.Unasked.AddUnheld();
                Complete(i, Outcome.Unasked);
                break;
        }
    }

    /// <summary>
    /// Handles a probe that could not be sent: the holder has closed its descriptor, and another process may have the socket, or probing is
    /// not allowed.
    /// </summary>
    private void Refuse(int i, Failure failure)
    {
        ref ProbedPeer peer = ref peers[i];
        bool isLost = failure.Errno is Errno.EBADF or Errno.ESRCH or Errno.ENOTSOCK;
        if (!isLost || ++peer.Losses > MaxLosses)
        {
            CompleteUnasked(i, failure with { Subject = $"of process {peer.Pid}" });
            return;
        }

        switch (_watch.Look(peer.Index))
        {
            case Presence.Gone:
                Complete(i, Outcome.Vanished);
                break;
            case Presence.Unknown:
                CompleteUnasked(i, new Failure(Operation.LookUpSocket, _watch.Errno));
                break;
            case Presence.There:
                peer.Pid = 0;
                break;
        }
    }
}
