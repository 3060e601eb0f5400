using TcpCloser.Cli;
using TcpCloser.Diag;

namespace TcpCloser.Kill;

/// <summary>The methods there are.</summary>
internal static class CloseMethods
{
    /// <summary>The method of a rule.</summary>
    /// <param name="rule">What is to be closed, and how.</param>
    /// <param name="idleRule">What is idle, for the methods that look again.</param>
    /// <param name="dump">Lists sockets.</param>
    /// <param name="machine">Where sockets and processes are.</param>
    public static ICloseMethod Of(Rule rule, IdleRule idleRule, SocketDump dump, Machine machine) => rule.Method switch
    {
#if NO_SOCK_DESTROY
        Method.Auto => new SocketDisconnector(dump, machine.OpenProcesses),
#else
        Method.Auto => new AutoMethod(new SockDestroyer(dump, machine.Own, leavesUnsupported: true), new SocketDisconnector(dump, machine.OpenProcesses)),
        Method.Destroy => new SockDestroyer(dump, machine.Own, leavesUnsupported: false),
#endif
        Method.Disconnect => new SocketDisconnector(dump, machine.OpenProcesses),
        Method.Keepalive => new KeepaliveMethod(rule, dump, machine.OpenProcesses),
        Method.Kill => new ProcessKiller(rule, idleRule, machine.OpenProcesses),
    };
}
