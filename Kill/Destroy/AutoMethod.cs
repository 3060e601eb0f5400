using TcpCloser.Diag;
using TcpCloser.Rules;

namespace TcpCloser.Kill;

/// <summary>
/// Destroys connections, and disconnects those that cannot be destroyed: MPTCP, or if kernel support or privilege is missing.
/// </summary>
internal sealed class AutoMethod(SockDestroyer destroyer, SocketDisconnector disconnector) : ICloseMethod
{
    public string Name => MethodName.Of(Method.Auto);

    public Reach Reach => Reach.Kernel;

    public FeatureSupport Check(Machine machine, NetworkNamespace network, IReadOnlyList<uint> uids)
    {
        FeatureSupport destroy = destroyer.Check(machine, network, uids);
        FeatureSupport disconnect = destroy.IsPossible ? destroy : disconnector.Check(machine, network, uids);
        return (disconnect.IsImpossible ? destroy : disconnect) with { Name = Name };
    }

    public void Preview(ConnectionList candidates, RoundContext round) =>
        RunBoth(candidates, round, destroyer.Preview, disconnector.Preview);

    public void Run(ConnectionList candidates, RoundContext round) => RunBoth(candidates, round, destroyer.Run, disconnector.Run);

    private void RunBoth(ConnectionList candidates, RoundContext round,
        Action<ConnectionList, RoundContext> destroy, Action<ConnectionList, RoundContext> disconnect)
    {
        bool isDisconnecting = false;
        try
        {
            destroy(candidates, round);
            isDisconnecting = HasLeftovers(candidates);
            if (isDisconnecting)
            {
                disconnect(candidates, round);
            }
        }
        finally
        {
            // A refused destroy is reported only if a connection stays open because of it.
            if (!destroyer.Refusal.IsNone && (destroyer.HasFailed || (isDisconnecting && disconnector.HasFailed) || HasLeftovers(candidates)))
            {
                round.Report.Problem(destroyer.Refusal);
            }
        }
    }

    private static bool HasLeftovers(ConnectionList candidates)
    {
        for (int i = 0; i < candidates.Count; i++)
        {
            if (candidates[i].IsPending)
            {
                return true;
            }
        }

        return false;
    }
}

/// <content>The methods of a build with SOCK_DESTROY.</content>
internal static partial class CloseMethods
{
    static partial void SetDestroyer(SocketDisconnector? fallback, ref ICloseMethod? method)
    {
        var destroyer = new SockDestroyer(leavesUnsupported: fallback is not null);
        method = fallback is null ? destroyer : new AutoMethod(destroyer, fallback);
    }
}
