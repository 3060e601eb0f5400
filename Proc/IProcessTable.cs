namespace TcpCloser.Proc;

/// <summary>
/// The processes that this machine shows in /proc, and the operations on them and on sockets fetched from them. An interface, so that
/// tests can produce failures that no kernel produces on demand. Handles are descriptors, which the caller closes; after
/// a failure they are negative, and lengths are 0.
/// </summary>
internal interface IProcessTable : IDisposable
{
    /// <summary>The id of this process.</summary>
    int Self { get; }

    /// <summary>Whether this process is in the initial pid namespace, which contains all processes of the machine.</summary>
    bool IsInInitialPidNamespace { get; }

    /// <summary>Whether this thread appears to be in the initial network namespace.</summary>
    bool IsInInitialNetworkNamespace { get; }

    /// <summary>The uid that stands for all users that this user namespace does not map; null: it maps all users.</summary>
    uint? OverflowUid { get; }

    /// <summary>Lists the ids of all processes. Returns 0 or the errno.</summary>
    int ListProcesses(List<int> pids);

    /// <summary>Reads a whole file of a process, such as <c>status</c>. Returns 0 or the errno.</summary>
    int ReadFile(int pid, ReadOnlySpan<byte> name, out byte[] content);

    /// <summary>The inode number of the network namespace of a process; 0: it could not be read.</summary>
    ulong NetworkNamespaceOf(int pid);

    /// <summary>Reads the path of the executable of a process (/proc/PID/exe). Returns 0 or the errno.</summary>
    int ReadExecutable(int pid, Span<byte> target, out int length);

    /// <summary>Reads what is visible of a process without privilege. Returns 0 or the errno.</summary>
    /// <param name="user">The user of the process's files in /proc: its effective user, or root if it is not dumpable.</param>
    /// <param name="descriptors">The number of its descriptors (Linux 6.2); 0 on older kernels.</param>
    int ReadSummary(int pid, out uint user, out ulong descriptors);

    /// <summary>Lists the ids of the threads of a process, including the first one. Returns 0 or the errno.</summary>
    int ListThreads(int pid, List<int> threads);

    /// <summary>Compares the descriptor tables of two threads (kcmp(2)). Returns 0 or the errno.</summary>
    /// <param name="order">A value of <see cref="Interop.Kcmp"/>: the same table, or the order of the two.</param>
    int CompareDescriptors(int thread, int other, out int order);

    /// <summary>Opens the directory of the descriptors of a process's first thread. Returns 0 or the errno.</summary>
    int OpenDescriptors(int pid, out int directory) => OpenDescriptors(pid, pid, out directory);

    /// <summary>Opens the directory of the descriptors of a thread of a process. Returns 0 or the errno.</summary>
    int OpenDescriptors(int pid, int thread, out int directory);

    /// <summary>Lists the descriptors in an open directory. It can be listed only once. Returns 0 or the errno.</summary>
    int ListDescriptors(int directory, List<int> fds);

    /// <summary>Reads what a descriptor refers to: <c>socket:[123]</c>, <c>/dev/pts/0</c>. Returns 0 or the errno.</summary>
    int ReadDescriptor(int directory, int fd, Span<byte> target, out int length);

    /// <summary>
    /// Opens a process (pidfd_open(2)), or a thread if the id is that of a thread other than the first one (Linux 6.9, EINVAL on older
    /// kernels). Returns 0 or the errno.
    /// </summary>
    int OpenProcess(int pid, out int process);

    /// <summary>Fetches a socket from a process (pidfd_getfd(2)). Returns 0 or the errno.</summary>
    int FetchSocket(int process, int fd, out int socket);

    /// <summary>Reads the cookie of a fetched socket (SO_COOKIE). Returns 0 or the errno; ENOTSOCK if it is not a socket.</summary>
    int ReadCookie(int socket, out ulong cookie);

    /// <summary>Reads an integer option of a fetched socket (getsockopt(2)). Returns 0 or the errno.</summary>
    int ReadOption(int socket, int level, int option, out int value);

    /// <summary>Sets an integer option of a fetched socket (setsockopt(2)). Returns 0 or the errno.</summary>
    int SetOption(int socket, int level, int option, int value);

    /// <summary>Tries the call of <c>--probe</c> on a new, unconnected socket. Returns 0 or the errno.</summary>
    int TryProbe();

    /// <summary>Reads TCP_INFO of a fetched socket, as much as the kernel provides. Returns 0 or the errno.</summary>
    int ReadTcpInfo(int socket, Span<byte> info, out int length);

    /// <summary>Reads the endpoints of a fetched socket. Returns 0 or the errno.</summary>
    int ReadEndpoints(int socket, out Interop.SockAddrIn6 local, out Interop.SockAddrIn6 remote);

    /// <summary>
    /// Disconnects a fetched socket (connect(2) to AF_UNSPEC) and shuts it down. Returns 0 or the errno of disconnecting.
    /// </summary>
    int Disconnect(int socket);

    /// <summary>Signals a process through its handle, or by its id if the handle is negative. Returns 0 or the errno.</summary>
    int SendSignal(int process, int pid, int signal);

    void Close(int handle);
}
