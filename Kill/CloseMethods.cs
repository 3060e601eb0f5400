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
    /// <param name="order">Where the methods that need one holder of each socket look first.</param>
    public static ICloseMethod Of(
        Rule rule, IdleRule idleRule, SocketDump dump, NetworkNamespace own, Func<IProcessTable> openProcesses, SearchOrder order)
    {
        var disconnector = new SocketDisconnector(dump, openProcesses, order);
        return rule.Method switch
        {
#if NO_SOCK_DESTROY
            Method.Auto => disconnector,
#else
            Method.Auto => new AutoMethod(new SockDestroyer(dump, own, leavesUnsupported: true), disconnector),
            Method.Destroy => new SockDestroyer(dump, own, leavesUnsupported: false),
#endif
            Method.Disconnect => disconnector,
            Method.Keepalive => new KeepaliveMethod(rule, dump, openProcesses, order),
            Method.Kill => new ProcessKiller(rule, idleRule, openProcesses),
        };
    }
}
