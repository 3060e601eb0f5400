using TcpCloser.Diag;
using TcpCloser.Interop;
using TcpCloser.Proc;

namespace TcpCloser.Kill;

/// <summary>What <see cref="PeerProbe"/> found out about each peer, and why some could not be asked.</summary>
/// <param name="candidates">The connections.</param>
/// <param name="peers">Those whose sockets are held, without a verdict yet.</param>
/// <param name="owners">Who holds the sockets, and who could not be looked into.</param>
/// <param name="sink">Takes the verdicts.</param>
internal sealed class ProbeVerdicts(ConnectionList candidates, ProbedPeers peers, SocketOwners owners, IResultSink sink)
{
    private readonly ResultBatch _results = new(sink);
    private Operation _refusedOperation;
    private int _refusedErrno;
    private int _refusedPid;
    private bool _hasUnfound;

    /// <summary>Whether any socket could be fetched: then what was refused is no matter of what is possible here.</summary>
    public bool HasFetched { get; set; }

    /// <summary>Tells of those of which no holder was found.</summary>
    public void TellUnheld()
    {
        for (int i = 0; i < candidates.Count; i++)
        {
            if (!peers.IsHeld[i])
            {
                // Who holds it may be among those that could not be looked into.
                bool isUnfound = candidates[i].Inode != 0 && owners.Unreadable.Count > 0;
                _hasUnfound |= isUnfound;
                _results.Add(i, isUnfound ? Outcome.Failed : Outcome.Unproved, isUnfound ? owners.Unreadable.Errno : 0);
            }
        }

        _results.Flush();
    }

    /// <summary>The verdict on a peer is final. A peer that is silent stays to be closed, and nothing is told of it here.</summary>
    public void Complete(int i, Outcome outcome, int errno = 0)
    {
        if (outcome != Outcome.Idle)
        {
            _results.Add(peers[i].Index, outcome, errno);
        }

        peers[i].Index = -1;
    }

    /// <summary>The peer could not be asked.</summary>
    public void Refuse(int i, Operation operation, int errno)
    {
        (_refusedOperation, _refusedErrno, _refusedPid) = (operation, errno, peers[i].Pid);
        Complete(i, Outcome.Failed, errno);
    }

    /// <summary>Tells what is final, and takes those peers out.</summary>
    public void Flush()
    {
        peers.Compact();
        _results.Flush();
    }

    /// <summary>Tells why peers could not be asked, where that is no matter of one connection.</summary>
    public void TellProblems()
    {
        Action<Operation, int, string?> tell = HasFetched ? sink.Incomplete : sink.Problem;
        if (_refusedErrno != 0)
        {
            tell(_refusedOperation, _refusedErrno, $"of process {_refusedPid}");
        }

        if (_hasUnfound)
        {
            tell(owners.Unreadable.Operation, owners.Unreadable.Errno, owners.Unreadable.Subject);
        }
    }
}
