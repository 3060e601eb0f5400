using TcpCloser.Cli;
using TcpCloser.Diag;
using TcpCloser.Proc;

namespace TcpCloser.Kill;

/// <summary>The methods there are.</summary>
internal static class CloseMethods
{
    /// <summary>The method of a rule.</summary>
    /// <param name="rule">What is to be closed, and how.</param>
    /// <param name="idleRule">What is idle, for the methods that look again.</param>
    /// <param name="dump">Lists sockets.</param>
    /// <param name="own">The network namespace that this process is in.</param>
    /// <param name="openProcesses">Opens the table of processes.</param>
    public static ICloseMethod Of(Rule rule, IdleRule idleRule, SocketDump dump, NetworkNamespace own, Func<IProcessTable> openProcesses) => rule.Method switch
    {
#if NO_SOCK_DESTROY
        Method.Auto => new SocketDisconnector(dump, openProcesses),
#else
        Method.Auto => new AutoMethod(new SockDestroyer(dump, own, leavesUnsupported: true), new SocketDisconnector(dump, openProcesses)),
        Method.Destroy => new SockDestroyer(dump, own, leavesUnsupported: false),
#endif
        Method.Disconnect => new SocketDisconnector(dump, openProcesses),
        Method.Keepalive => new KeepaliveMethod(rule, dump, openProcesses),
        Method.Kill => new ProcessKiller(rule, idleRule, openProcesses),
    };
}
