using TcpCloser.Cli;
using TcpCloser.Diag;
using TcpCloser.Interop;
using TcpCloser.Proc;

namespace TcpCloser.Kill;

/// <summary>
/// Ends connections without SOCK_DESTROY and without a signal: fetches the socket from its owner (pidfd_getfd(2), Linux 5.6),
/// disconnects it (connect(2) to AF_UNSPEC) and shuts it down. The peer gets a reset, the owner an error and then end of file.
/// </summary>
internal sealed class SocketDisconnector(SocketDump dump, Func<IProcessTable> openProcesses, SearchOrder order) : ICloseMethod
{
    public string Name => MethodName.Of(Method.Disconnect);

    public bool NeedsOwners => true;

    public bool EndsProcesses => false;

    public bool EndsWholeMptcp => true;

    public Ability Check(IReadOnlyList<uint> uids) => FetchCheck.Run(Name, openProcesses, uids);

    public Outcome? Obstacle(ref readonly Connection connection, SocketOwners owners) => OwnerRule.NoOwner(in connection, owners);

    public void Close(ConnectionList candidates, IResultSink sink, Func<bool> stopRequested) =>
        new FetchRun(candidates, sink, Disconnect).Run(dump, openProcesses, order, stopRequested);

    private static ActionResult Disconnect(IProcessTable table, int socket)
    {
        int errno = table.Disconnect(socket);
        return errno == 0 ? new ActionResult(Outcome.Disconnected) : new ActionResult(Operation.DisconnectSocket, errno);
    }
}
