namespace TcpCloser.Proc;

/// <summary>
/// The processes that this machine shows in /proc, and what may be done with them and with the sockets fetched from them. Behind
/// an interface, so that tests can answer what no kernel answers on demand. Handles are descriptors; who gets one closes it.
/// </summary>
internal interface IProcessTable : IDisposable
{
    /// <summary>The id of this process.</summary>
    int Self { get; }

    /// <summary>Lists the ids of all processes. Returns 0 or the errno.</summary>
    int ListProcesses(List<int> pids);

    /// <summary>Reads a file of a process whole, <c>status</c> for example. Returns 0 or the errno.</summary>
    int ReadFile(int pid, ReadOnlySpan<byte> name, out byte[] content);

    /// <summary>The number that tells the network namespace of a process from others; 0: it could not be read.</summary>
    ulong NetworkNamespaceOf(int pid);

    /// <summary>Looks at a process from outside, which needs no privilege. Returns 0 or the errno.</summary>
    /// <param name="pid">The process.</param>
    /// <param name="user">The user whom the kernel gives its files to: its effective one, or root where it is not dumpable.</param>
    /// <param name="descriptors">How many descriptors it has (Linux 6.2); 0 before.</param>
    int Look(int pid, out uint user, out ulong descriptors);

    /// <summary>Opens the folder of a process's descriptors. Returns a handle or minus the errno.</summary>
    int OpenDescriptors(int pid);

    /// <summary>Lists the numbers in such a folder, once: then it is at its end. Returns 0 or the errno.</summary>
    int ListDescriptors(int folder, List<int> fds);

    /// <summary>Reads what a descriptor is: <c>socket:[123]</c>, <c>/dev/pts/0</c>. Returns the length or minus the errno.</summary>
    int ReadDescriptor(int folder, int fd, Span<byte> target);

    /// <summary>Opens a process (pidfd_open(2)). Returns a handle or minus the errno.</summary>
    int OpenProcess(int pid);

    /// <summary>Fetches a descriptor of a process (pidfd_getfd(2)). Returns a handle or minus the errno.</summary>
    int FetchSocket(int process, int fd);

    /// <summary>Reads the cookie of a fetched socket (SO_COOKIE). Returns 0 or the errno; ENOTSOCK where it is no socket.</summary>
    int ReadCookie(int socket, out ulong cookie);

    /// <summary>Reads an option of a fetched socket that is a number (getsockopt(2)). Returns 0 or the errno.</summary>
    int ReadOption(int socket, int level, int option, out int value);

    /// <summary>Sets an option of a fetched socket that is a number (setsockopt(2)). Returns 0 or the errno.</summary>
    int SetOption(int socket, int level, int option, int value);

    /// <summary>Reads TCP_INFO of a fetched socket, as much of it as there is. Returns its length or minus the errno.</summary>
    int ReadTcpInfo(int socket, Span<byte> info);

    /// <summary>Reads the addresses of a fetched socket. Returns 0 or the errno.</summary>
    int ReadEnds(int socket, out Interop.SockAddrIn6 local, out Interop.SockAddrIn6 remote);

    /// <summary>Disconnects a fetched socket (connect(2) to AF_UNSPEC) and shuts it down. Returns 0 or the errno of the former.</summary>
    int Disconnect(int socket);

    /// <summary>Signals a process through its handle, or where that is negative by its id. Returns 0 or the errno.</summary>
    int SendSignal(int process, int pid, int signal);

    void Close(int handle);
}
