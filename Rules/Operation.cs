namespace TcpCloser.Rules;

/// <summary>The operations whose failures are reported.</summary>
internal enum Operation : byte
{
    /// <summary>Opening a NETLINK_SOCK_DIAG socket (sock_diag(7)).</summary>
    OpenNetlink,

    /// <summary>Entering a network namespace (setns(2)).</summary>
    EnterNamespace,

    /// <summary>Returning to the program's own network namespace (setns(2)).</summary>
    ReturnToNamespace,

    /// <summary>Opening the file of a network namespace.</summary>
    OpenNamespace,

    /// <summary>Reading a directory of network namespaces.</summary>
    ListNamespaces,

    /// <summary>Listing TCP sockets by INET_DIAG.</summary>
    ListSockets,

    /// <summary>Listing TCP sockets with a filter by mark, which needs a privilege.</summary>
    ListSocketsByMark,

    /// <summary>Matching sockets by a mark or a cgroup that the kernel neither filters by nor reports.</summary>
    MatchMarkOrCgroup,

    /// <summary>Looking up the index of a device by name (netdevice(7)).</summary>
    FindDevice,

    /// <summary>Looking up the id of a cgroup by path.</summary>
    FindCgroup,

    /// <summary>Listing the directories of the cgroup2 file system.</summary>
    ListCgroups,

    /// <summary>Listing the pods by the directories of their logs.</summary>
    ListPods,

    /// <summary>Excluding sockets by a cgroup that is not known.</summary>
    MatchNotCgroup,

    /// <summary>Finding the groups of <c>--keep</c> by cgroups that are not known.</summary>
    GroupByCgroup,

    /// <summary>Reading a file that names connections.</summary>
    ReadConnections,

    /// <summary>Looking up one TCP socket by INET_DIAG.</summary>
    LookUpSocket,

    /// <summary>Aborting a connection by SOCK_DESTROY.</summary>
    DestroySocket,

    /// <summary>Listing the local routes by rtnetlink(7).</summary>
    ListRoutes,

    /// <summary>Opening /proc.</summary>
    OpenProc,

    /// <summary>Using a /proc that belongs to a different pid namespace.</summary>
    UseProc,

    /// <summary>Listing the processes in /proc.</summary>
    ListProcesses,

    /// <summary>Seeing the processes of other users in /proc.</summary>
    SeeProcesses,

    /// <summary>Finding the processes that hold sockets, which are in a different pid namespace.</summary>
    FindHolders,

    /// <summary>Reading a file of a process in /proc.</summary>
    ReadProcess,

    /// <summary>Listing the descriptors of a process (/proc/PID/fd).</summary>
    ListDescriptors,

    /// <summary>Reading what a descriptor of a process refers to (readlink(2) in /proc/PID/fd).</summary>
    ReadDescriptor,

    /// <summary>Opening a process (pidfd_open(2)).</summary>
    OpenProcess,

    /// <summary>Fetching a socket from the process that holds it (pidfd_getfd(2)).</summary>
    FetchSocket,

    /// <summary>Disconnecting a fetched socket (connect(2) to AF_UNSPEC).</summary>
    DisconnectSocket,

    /// <summary>Probing a peer through the fetched socket (TCP_REPAIR).</summary>
    ProbePeer,

    /// <summary>Reading or setting the keepalive options of a fetched socket.</summary>
    SetKeepalive,

    /// <summary>Signalling a process.</summary>
    SignalProcess,

    /// <summary>Opening the log file.</summary>
    OpenLog,

    /// <summary>Writing the log.</summary>
    WriteLog,

    /// <summary>Writing to stdout.</summary>
    WriteOutput,

    /// <summary>Writing the metrics.</summary>
    WriteMetrics,

    /// <summary>Reading the metrics that a service has written.</summary>
    ReadMetrics,

    /// <summary>Opening a signalfd(2).</summary>
    WatchSignals,

    /// <summary>Starting a timerfd(2).</summary>
    StartTimer,
}

/// <summary>
/// An operation that failed. Calls into the kernel return 0 or an errno; everything above them returns, throws, counts and reports this.
/// The table of remedies has the message and the remedy.
/// </summary>
/// <param name="Errno">The error number, positive; 0: nothing failed, as in a default value.</param>
/// <param name="Subject">The object of the operation, escaped for a log line; null: the operation has none.</param>
internal readonly record struct Failure(Operation Operation, int Errno, string? Subject = null)
{
    /// <summary>Whether nothing failed.</summary>
    public bool IsNone => Errno == 0;

    /// <summary>Nothing if the errno is 0.</summary>
    public static Failure If(Operation operation, int errno, string? subject = null) =>
        errno == 0 ? default : new Failure(operation, errno, subject);

    /// <exception cref="SystemCallException">Something failed.</exception>
    public void ThrowIfAny()
    {
        if (!IsNone)
        {
            throw new SystemCallException(this);
        }
    }

    public override string ToString() => $"{Operation}{(Subject is null ? "" : " " + Subject)}: {Interop.Errno.Describe(Errno)}";
}

/// <summary>A failure that ends what is under way.</summary>
internal sealed class SystemCallException(Failure failure) : Exception
{
    public Failure Failure { get; } = failure;

    public override string Message => Failure.ToString();
}
