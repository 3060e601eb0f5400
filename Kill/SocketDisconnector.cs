using TcpCloser.Cli;
using TcpCloser.Diag;
using TcpCloser.Interop;
using TcpCloser.Proc;

namespace TcpCloser.Kill;

/// <summary>
/// Ends connections without SOCK_DESTROY and without a signal: fetches the socket from its owner (pidfd_getfd(2), Linux 5.6),
/// disconnects it (connect(2) to AF_UNSPEC) and shuts it down. The peer gets a reset, the owner an error and then end of file.
/// </summary>
internal sealed class SocketDisconnector(SocketDump dump, Func<IProcessTable> openProcesses) : ICloseMethod
{
    public string Name => MethodName.Of(Method.Disconnect);

    public bool EndsWholeMptcp => true;

    /// <summary>Whether the sockets of every process may be found and fetched: asked of each by a descriptor number that none has.</summary>
    public Ability Check(IReadOnlyList<uint> uids) => OwnerCheck.Run(Name, openProcesses, uids, static (table, pid) =>
    {
        const int NoDescriptor = int.MaxValue;
        int process = table.OpenProcess(pid);
        if (process < 0)
        {
            return (Operation.OpenProcess, -process);
        }

        int fetched = table.FetchSocket(process, NoDescriptor);
        table.Close(process);
        return (Operation.FetchSocket, fetched is -Errno.EBADF or >= 0 ? 0 : -fetched);
    });

    public KillForecast? Forecast(ConnectionList candidates) => null;

    public void Close(ConnectionList candidates, IResultSink sink, Func<bool> stopRequested)
    {
        if (stopRequested())
        {
            new DisconnectRun(candidates, sink).CompleteRest(stopped: true);
            return;
        }

        using IProcessTable table = openProcesses();
        var index = new InodeIndex(candidates);
        var owners = new SocketOwners(table, index.Contains);
        MptcpCookies mptcp = MptcpCookies.Find(dump, candidates);
        var run = new DisconnectRun(candidates, sink);
        bool stopped = false;
        try
        {
            run.Disconnect(table, owners, index, mptcp, stopRequested, out stopped);
        }
        finally
        {
            run.CompleteRest(stopped);
            run.TellProblems(owners.Unreadable);
        }
    }
}
