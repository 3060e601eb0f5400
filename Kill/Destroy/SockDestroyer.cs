using TcpCloser.Diag;
using TcpCloser.Interop;
using TcpCloser.Rules;

namespace TcpCloser.Kill;

/// <summary>Ends connections by SOCK_DESTROY: the kernel aborts them, and no process is touched.</summary>
/// <param name="leavesUnsupported">
/// Whether a fallback follows. If so, connections that the kernel cannot destroy, or not for this user, are left to the fallback. So are
/// MPTCP subflows, because their holders would not notice that they ended.
/// </param>
internal sealed class SockDestroyer(bool leavesUnsupported) : ICloseMethod
{
    private ResultBatch? _results;

    public string Name => MethodName.Of(Method.Destroy);

    public Reach Reach => Reach.Kernel;

    /// <summary>
    /// The refusal that applies to every connection of a network namespace, so the rest was not tried; none: there was none.
    /// </summary>
    public Failure Refusal { get; private set; }

    /// <summary>Whether a connection of the last run, or preview, could not be closed.</summary>
    public bool HasFailed => _results is { HasFailed: true };

    public FeatureSupport Check(Machine machine, NetworkNamespace network, IReadOnlyList<uint> uids)
    {
        try
        {
            return new FeatureSupport(Name, Failure.If(Operation.DestroySocket, Ask(machine.Dump, network).Errno));
        }
        catch (SystemCallException e)
        {
            return new FeatureSupport(Name, e.Failure);
        }
    }

    public void Preview(ConnectionList candidates, RoundContext round)
    {
        using DestroyRun run = Begin(candidates, round);
        foreach ((NetworkNamespace network, int start, int end) in candidates.Parts)
        {
            DestroyItem answer;
            try
            {
                answer = Ask(round.Dump, network);
            }
            catch (SystemCallException e)
            {
                run.Fail(start, end, e.Failure);
                continue;
            }

            NoteRefusal(run.Preview(start, end, answer));
        }

        ReportRefusal(round);
    }

    public void Run(ConnectionList candidates, RoundContext round)
    {
        using DestroyRun run = Begin(candidates, round);
        foreach ((NetworkNamespace network, int start, int end) in candidates.Parts)
        {
            DestroyBatch batch;
            try
            {
                batch = new DestroyBatch(network, candidates);
            }
            catch (SystemCallException e)
            {
                // A namespace that can no longer be entered must not stop the others.
                run.Fail(start, end, e.Failure);
                continue;
            }

            using (batch)
            {
                NoteRefusal(run.Close(batch, network, start, end));
            }
        }

        ReportRefusal(round);
    }

    private DestroyRun Begin(ConnectionList candidates, RoundContext round)
    {
        Refusal = default;
        _results = new ResultBatch(round.Report, Method.Destroy);
        return new DestroyRun(candidates, round, _results, leavesUnsupported);
    }

    /// <summary>Remembers a refusal. It does not apply to the other namespaces, which may belong to other users.</summary>
    private void NoteRefusal(Failure refusal) => Refusal = refusal.IsNone ? Refusal : refusal;

    private void ReportRefusal(RoundContext round)
    {
        if (!Refusal.IsNone && !leavesUnsupported)
        {
            round.Report.Problem(Refusal);
        }
    }

    /// <summary>
    /// Tries SOCK_DESTROY on a connection that cannot exist. Returns an item without an errno, or with the refusal, which may apply to
    /// every connection of the namespace.
    /// </summary>
    /// <exception cref="SystemCallException">The namespace cannot be entered, or no netlink socket can be opened.</exception>
    private static DestroyItem Ask(SocketDump dump, NetworkNamespace network)
    {
        var candidates = new ConnectionList();
        candidates.Begin(network);
        candidates.Add(new Connection { Family = Socket.AF_INET, State = TcpState.Established, Cookie = ulong.MaxValue - 1 });
        using var batch = new DestroyBatch(network, candidates);
        batch.Add(0);
        batch.Run();
        DestroyItem answer = batch.Items[0];
        if (answer.Verdict == DestroyVerdict.Gone)
        {
            // The kernel looks the connection up before it checks the privilege. A dump filter by mark needs the same privilege, which is
            // checked first.
            answer.SetAnswer(FilterCheck.Mark(dump, network).Errno == Errno.EPERM ? Errno.EPERM : 0);
        }
        else if (answer.Verdict == DestroyVerdict.Unknown)
        {
            answer.SetAnswer(Errno.EIO);
        }

        return answer;
    }
}
