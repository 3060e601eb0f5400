using TcpCloser.Diag;
using TcpCloser.Proc;
using TcpCloser.Rules;

namespace TcpCloser.Kill;

/// <summary>
/// Ends connections without SOCK_DESTROY and without a signal: fetches the socket from its holder (pidfd_getfd(2), Linux 5.6),
/// disconnects it (connect(2) to AF_UNSPEC) and shuts it down. The peer gets a reset, the holder an error and then end of file.
/// </summary>
internal sealed class SocketDisconnector : ICloseMethod
{
    public string Name => MethodName.Of(Method.Disconnect);

    public Reach Reach => Reach.Socket;

    /// <summary>Whether a connection of the last run, or preview, could not be closed.</summary>
    public bool HasFailed { get; private set; }

    public FeatureSupport Check(Machine machine, NetworkNamespace network, IReadOnlyList<uint> uids) =>
        HolderCheck.RunFetch(Name, machine, uids);

    public void Preview(ConnectionList candidates, RoundContext round)
    {
        using var run = new FetchRun(candidates, round, Method.Disconnect, act: null);
        try
        {
            run.Preview();
        }
        finally
        {
            HasFailed = run.HasFailed;
        }
    }

    public void Run(ConnectionList candidates, RoundContext round)
    {
        using var run = new FetchRun(candidates, round, Method.Disconnect, Disconnect);
        try
        {
            run.Run();
        }
        finally
        {
            HasFailed = run.HasFailed;
        }
    }

    private static Failure Disconnect(IProcessTable table, int socket, out Outcome outcome)
    {
        outcome = Outcome.Disconnected;
        return Failure.If(Operation.DisconnectSocket, table.Disconnect(socket));
    }
}
