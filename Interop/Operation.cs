namespace TcpCloser.Interop;

/// <summary>What is asked of the kernel, as far as it can fail in a way that a reader has to be told of.</summary>
internal enum Operation : byte
{
    /// <summary>Opening a NETLINK_SOCK_DIAG socket (sock_diag(7)).</summary>
    OpenNetlink,

    /// <summary>Entering a network namespace (setns(2)).</summary>
    EnterNamespace,

    /// <summary>Opening the file of a network namespace.</summary>
    OpenNamespace,

    /// <summary>Reading a folder that names network namespaces.</summary>
    ListNamespaces,

    /// <summary>Listing TCP sockets by INET_DIAG.</summary>
    ListSockets,

    /// <summary>The same with a filter by mark, which the kernel keeps from who has no privilege.</summary>
    ListSocketsByMark,

    /// <summary>Matching sockets by a mark or a cgroup that the kernel neither filters by nor tells.</summary>
    MatchMarkOrCgroup,

    /// <summary>Asking for the number of a device that is named (netdevice(7)).</summary>
    FindDevice,

    /// <summary>Asking for the number of a cgroup that is named.</summary>
    FindCgroup,

    /// <summary>Looking one TCP socket up by INET_DIAG.</summary>
    LookUpSocket,

    /// <summary>Aborting a connection by SOCK_DESTROY.</summary>
    DestroySocket,

    /// <summary>Listing the local routes by rtnetlink(7).</summary>
    ListRoutes,

    /// <summary>Opening /proc.</summary>
    OpenProc,

    /// <summary>Using a /proc that shows another pid namespace than the own one.</summary>
    UseProc,

    /// <summary>Listing the processes in /proc.</summary>
    ListProcesses,

    /// <summary>Reading a file of a process in /proc.</summary>
    ReadProcess,

    /// <summary>Listing the descriptors of a process (/proc/PID/fd).</summary>
    ListDescriptors,

    /// <summary>Reading what a descriptor of a process is (readlink(2) in /proc/PID/fd).</summary>
    ReadDescriptor,

    /// <summary>Opening a process (pidfd_open(2)).</summary>
    OpenProcess,

    /// <summary>Fetching a socket from the process that holds it (pidfd_getfd(2)).</summary>
    FetchSocket,

    /// <summary>Disconnecting a fetched socket (connect(2) to AF_UNSPEC).</summary>
    DisconnectSocket,

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

    /// <summary>Opening a signalfd(2).</summary>
    WatchSignals,

    /// <summary>Starting a timerfd(2).</summary>
    StartTimer,
}
