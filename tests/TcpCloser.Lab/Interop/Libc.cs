namespace TcpCloser.Lab.Interop;

/// <summary>The functions of the C library that the Lab needs; each is described in section 2 or 3 of the man pages.</summary>
internal static unsafe partial class Libc
{
    [LibraryImport("libc", EntryPoint = "socket", SetLastError = true)]
    internal static partial int Socket(int domain, int type, int protocol);
    [LibraryImport("libc", EntryPoint = "socketpair", SetLastError = true)]
    internal static partial int SocketPair(int domain, int type, int protocol, int* pair);
    [LibraryImport("libc", EntryPoint = "bind", SetLastError = true)]
    internal static partial int Bind(int fd, SockAddress* address, uint length);
    [LibraryImport("libc", EntryPoint = "bind", SetLastError = true)]
    internal static partial int BindUnix(int fd, SockAddressUnix* address, uint length);
    [LibraryImport("libc", EntryPoint = "connect", SetLastError = true)]
    internal static partial int ConnectUnix(int fd, SockAddressUnix* address, uint length);
    [LibraryImport("libc", EntryPoint = "listen", SetLastError = true)] internal static partial int Listen(int fd, int backlog);
    [LibraryImport("libc", EntryPoint = "connect", SetLastError = true)]
    internal static partial int Connect(int fd, SockAddress* address, uint length);
    [LibraryImport("libc", EntryPoint = "accept4", SetLastError = true)]
    internal static partial int Accept4(int fd, SockAddress* address, uint* length, int flags);
    [LibraryImport("libc", EntryPoint = "getsockname", SetLastError = true)]
    internal static partial int GetSockName(int fd, SockAddress* address, uint* length);
    [LibraryImport("libc", EntryPoint = "shutdown", SetLastError = true)] internal static partial int Shutdown(int fd, int how);
    [LibraryImport("libc", EntryPoint = "setsockopt", SetLastError = true)]
    internal static partial int SetSockOpt(int fd, int level, int name, void* value, uint length);
    [LibraryImport("libc", EntryPoint = "getsockopt", SetLastError = true)]
    internal static partial int GetSockOpt(int fd, int level, int name, void* value, uint* length);
    [LibraryImport("libc", EntryPoint = "send", SetLastError = true)]
    internal static partial nint Send(int fd, byte* data, nuint length, int flags);
    [LibraryImport("libc", EntryPoint = "recv", SetLastError = true)]
    internal static partial nint Receive(int fd, byte* data, nuint length, int flags);
    [LibraryImport("libc", EntryPoint = "sendmsg", SetLastError = true)]
    internal static partial nint SendMessage(int fd, MsgHdr* message, int flags);
    [LibraryImport("libc", EntryPoint = "recvmsg", SetLastError = true)]
    internal static partial nint ReceiveMessage(int fd, MsgHdr* message, int flags);
    [LibraryImport("libc", EntryPoint = "read", SetLastError = true)] internal static partial nint Read(int fd, byte* data, nuint length);
    [LibraryImport("libc", EntryPoint = "write", SetLastError = true)] internal static partial nint Write(int fd, byte* data, nuint length);
    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int Open(string path, int flags, uint mode);
    [LibraryImport("libc", EntryPoint = "chmod", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int ChangeMode(string path, uint mode);
    [LibraryImport("libc", EntryPoint = "ftruncate")] internal static partial int Truncate(int fd, nint length);
    [LibraryImport("libc", EntryPoint = "lseek")] internal static partial nint Seek(int fd, nint offset, int whence);
    [LibraryImport("libc", EntryPoint = "close", SetLastError = true)] internal static partial int Close(int fd);
    [LibraryImport("libc", EntryPoint = "pipe2", SetLastError = true)] internal static partial int Pipe2(int* pair, int flags);
    [LibraryImport("libc", EntryPoint = "fcntl", SetLastError = true)] internal static partial int Fcntl(int fd, int command, int argument);
    [LibraryImport("libc", EntryPoint = "ioctl", SetLastError = true)]
    internal static partial int Ioctl(int fd, nuint request, void* argument);
    [LibraryImport("libc", EntryPoint = "poll", SetLastError = true)]
    internal static partial int Poll(PollFd* entries, nuint count, int milliseconds);
    [LibraryImport("libc", EntryPoint = "epoll_create1", SetLastError = true)] internal static partial int EpollCreate(int flags);
    [LibraryImport("libc", EntryPoint = "epoll_ctl", SetLastError = true)]
    internal static partial int EpollControl(int epoll, int operation, int fd, byte* epollEvent);
    [LibraryImport("libc", EntryPoint = "epoll_wait", SetLastError = true)]
    internal static partial int EpollWait(int epoll, byte* events, int count, int milliseconds);
    [LibraryImport("libc", EntryPoint = "setrlimit", SetLastError = true)]
    internal static partial int SetRLimit(int resource, ulong* softAndHard);
    [LibraryImport("libc", EntryPoint = "getrlimit", SetLastError = true)]
    internal static partial int GetRLimit(int resource, ulong* softAndHard);
    [LibraryImport("libc", EntryPoint = "dup3", SetLastError = true)] internal static partial int Dup3(int fd, int target, int flags);
    [LibraryImport("libc", EntryPoint = "prctl", SetLastError = true)]
    internal static partial int Prctl(int option, nuint first, nuint second, nuint third, nuint fourth);
    [LibraryImport("libc", EntryPoint = "getppid")] internal static partial int GetParentProcessId();
    [LibraryImport("libc", EntryPoint = "getuid")] internal static partial uint GetUserId();
    [LibraryImport("libc", EntryPoint = "gettid")] internal static partial int GetThreadId();
    [LibraryImport("libc", EntryPoint = "kill", SetLastError = true)] internal static partial int Kill(int pid, int signal);
    [LibraryImport("libc", EntryPoint = "waitpid", SetLastError = true)]
    internal static partial int WaitPid(int pid, int* status, int options);
    [LibraryImport("libc", EntryPoint = "signalfd", SetLastError = true)]
    internal static partial int SignalFd(int fd, ulong* mask, int flags);
    [LibraryImport("libc", EntryPoint = "sigprocmask", SetLastError = true)]
    internal static partial int SigProcMask(int how, ulong* set, ulong* old);
    [LibraryImport("libc", EntryPoint = "signal", SetLastError = true)] internal static partial nint Signal(int signal, nint handler);
    [LibraryImport("libc", EntryPoint = "posix_spawn", StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int PosixSpawn(int* pid, string path, byte* fileActions, byte* attributes, byte** arguments, byte** environment);
    [LibraryImport("libc", EntryPoint = "posix_spawn_file_actions_init")] internal static partial int FileActionsInit(byte* fileActions);
    [LibraryImport("libc", EntryPoint = "posix_spawn_file_actions_destroy")]
    internal static partial int FileActionsDestroy(byte* fileActions);
    [LibraryImport("libc", EntryPoint = "posix_spawn_file_actions_adddup2")]
    internal static partial int FileActionsAddDup2(byte* fileActions, int fd, int target);
    [LibraryImport("libc", EntryPoint = "wait4", SetLastError = true)]
    internal static partial int Wait4(int pid, int* status, int options, ResourceUsage* usage);
    [LibraryImport("libc", EntryPoint = "setns", SetLastError = true)] internal static partial int SetNamespace(int fd, int kind);

    /// <summary>System calls for which the C library has no function.</summary>
    [LibraryImport("libc", EntryPoint = "syscall", SetLastError = true)]
    internal static partial nint SystemCall(nint number, nint first, nint second, void* third, nint fourth);
    [LibraryImport("libc", EntryPoint = "mmap", SetLastError = true)]
    internal static partial void* Map(void* address, nuint length, int protection, int flags, int fd, nint offset);
    [LibraryImport("libc", EntryPoint = "munmap")] internal static partial int Unmap(void* address, nuint length);

    // After fork a process must not enter the runtime: these are calls without GC transition.

    [LibraryImport("libc", EntryPoint = "fork"), SuppressGCTransition] internal static partial int Fork();
    [LibraryImport("libc", EntryPoint = "dup2"), SuppressGCTransition] internal static partial int Duplicate(int fd, int target);
    [LibraryImport("libc", EntryPoint = "clock_gettime"), SuppressGCTransition]
    internal static partial int ClockGetTime(int clock, long* secondsAndNanoseconds);
    [LibraryImport("libc", EntryPoint = "execve"), SuppressGCTransition]
    internal static partial int Execute(byte* path, byte** arguments, byte** environment);
    [LibraryImport("libc", EntryPoint = "prctl"), SuppressGCTransition]
    internal static partial int PrctlAfterFork(int option, nuint first, nuint second, nuint third, nuint fourth);
    [LibraryImport("libc", EntryPoint = "close"), SuppressGCTransition] internal static partial int CloseAfterFork(int fd);
    [LibraryImport("libc", EntryPoint = "read"), SuppressGCTransition]
    internal static partial nint ReadAfterFork(int fd, byte* data, nuint length);
    [LibraryImport("libc", EntryPoint = "write"), SuppressGCTransition]
    internal static partial nint WriteAfterFork(int fd, byte* data, nuint length);
    [LibraryImport("libc", EntryPoint = "pause"), SuppressGCTransition] internal static partial int Pause();
    [LibraryImport("libc", EntryPoint = "unshare", SetLastError = true)] internal static partial int Unshare(int flags);
    [LibraryImport("libc", EntryPoint = "syscall")] internal static partial nint SystemCall(nint number, nint argument);
    [LibraryImport("libc", EntryPoint = "_exit"), SuppressGCTransition] internal static partial void ExitAtOnce(int status);
}
