using TcpCloser.Diag;
using TcpCloser.Proc;

namespace TcpCloser;

/// <summary>Where sockets and processes are found: the two places at which a test can put something else.</summary>
/// <param name="own">The network namespace that this process is in.</param>
/// <param name="openProcesses">Opens the table of processes.</param>
internal sealed class Machine(NetworkNamespace own, Func<IProcessTable> openProcesses)
{
    /// <summary>The machine that the program runs on.</summary>
    public static Machine Real => new(new NetworkNamespace(), static () => new ProcessTable());

    public NetworkNamespace Own { get; } = own;

    public Func<IProcessTable> OpenProcesses { get; } = openProcesses;
}
