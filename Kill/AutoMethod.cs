using TcpCloser.Cli;
using TcpCloser.Diag;
using TcpCloser.Interop;
using TcpCloser.Proc;

namespace TcpCloser.Kill;

/// <summary>Destroys, and disconnects what cannot be destroyed: for want of kernel support or of privilege, and MPTCP.</summary>
internal sealed class AutoMethod(SockDestroyer destroyer, SocketDisconnector disconnector) : ICloseMethod
{
    public string Name => MethodName.Of(Method.Auto);

    public bool NeedsOwners => false;

    public bool EndsProcesses => false;

    public bool EndsWholeMptcp => true;

    public Ability Check(IReadOnlyList<uint> uids)
    {
        Ability destroy = destroyer.Check(uids);
        return destroy.IsPossible ? new Ability(Name)
            : disconnector.Check(uids) is { IsImpossible: false } disconnect
                ? new Ability(Name, disconnect.Errno, disconnect.Operation, disconnect.Subject, partly: true)
                : new Ability(Name, destroy.Errno, destroy.Operation, destroy.Subject);
    }

    public Outcome? Obstacle(ref readonly Connection connection, SocketOwners owners) => null;

    public void Close(ConnectionList candidates, IResultSink sink, Func<bool> stopRequested)
    {
        destroyer.Close(candidates, sink, stopRequested);
        if (!HasLeftovers(candidates))
        {
            return;
        }

        var watched = new FailureWatch(sink);
        try
        {
            disconnector.Close(candidates, watched, stopRequested);
        }
        finally
        {
            // Only where the second way failed, too, is it worth a word that the first one is closed.
            if (destroyer.RefusedErrno != 0 && (watched.HasFailed || HasLeftovers(candidates)))
            {
                sink.Problem(Operation.DestroySocket, destroyer.RefusedErrno);
            }
        }
    }

    private static bool HasLeftovers(ConnectionList candidates)
    {
        for (int i = 0; i < candidates.Count; i++)
        {
            if (candidates[i].Outcome == Outcome.Idle)
            {
                return true;
            }
        }

        return false;
    }

    private sealed class FailureWatch(IResultSink sink) : IResultSink
    {
        public bool HasFailed { get; private set; }

        public void Completed(ReadOnlySpan<Result> results)
        {
            foreach (Result result in results)
            {
                HasFailed |= result.Outcome is Outcome.Failed or Outcome.NoOwner;
            }

            sink.Completed(results);
        }

        public void Found(SocketOwners owners) => sink.Found(owners);

        public void Signalled(SocketHolder process, int signal) => sink.Signalled(process, signal);

        public void Problem(Operation operation, int errno, string? subject) => sink.Problem(operation, errno, subject);

        public void Incomplete(Operation operation, int errno, string? subject) => sink.Incomplete(operation, errno, subject);

        public void Notice(string text) => sink.Notice(text);
    }
}
