using System.Runtime.InteropServices;
using TcpCloser.Interop;
using TcpCloser.Rules;

namespace TcpCloser.Proc;

/// <summary>The kernel's processes through /proc, which is verified to belong to this pid namespace.</summary>
internal sealed unsafe class ProcessTable : IProcessTable
{
    /// <summary>PROC_PID_INIT_INO (linux/proc_ns.h).</summary>
    private const ulong InitialPidNamespace = 0xEFFF_FFFC;

    private readonly int _proc;

    /// <exception cref="SystemCallException">/proc cannot be opened, or it belongs to a different pid namespace, whose ids denote other processes here.</exception>
    public ProcessTable()
    {
        int errno = ProcFile.OpenDirectory(Fcntl.AT_FDCWD, "/proc\0"u8, out _proc);
        if (errno != 0)
        {
            throw new SystemCallException(new Failure(Operation.OpenProc, errno));
        }

        errno = CheckPidNamespace();
        if (errno != 0)
        {
            Dispose();
            throw new SystemCallException(new Failure(Operation.UseProc, errno));
        }
    }

    public int Self { get; } = Unistd.getpid();

    /// <summary>Whether the namespace's inode is the fixed one (Linux 3.8). A kernel without pid namespaces has no inode.</summary>
    public bool IsInInitialPidNamespace => Stat.Inode(_proc, "self/ns/pid\0"u8) is 0 or InitialPidNamespace;

    /// <summary>
    /// Whether a sysctl exists that only the initial network namespace has. The namespace's inode is fixed only on newer kernels.
    /// </summary>
    public bool IsInInitialNetworkNamespace => Stat.Inode(_proc, "sys/net/ipv4/tcp_mem\0"u8) != 0;

    public uint? OverflowUid => UserIds.Overflow(_proc);

    public int ListProcesses(List<int> pids)
    {
        // The previous listing has left the directory at its end.
        return Unistd.lseek(_proc, 0, Unistd.SEEK_SET) == 0 ? ProcFile.ReadNumbers(_proc, pids) : Marshal.GetLastPInvokeError();
    }

    public int ReadFile(int pid, ReadOnlySpan<byte> name, out byte[] content) => ProcFile.Read(_proc, ProcPath.Of(pid, name), out content);

    public ulong NetworkNamespaceOf(int pid) => Stat.Inode(_proc, ProcPath.Of(pid, "ns/net"u8));

    public int ReadExecutable(int pid, Span<byte> target, out int length) => ProcFile.ReadLink(_proc, ProcPath.Of(pid, "exe"u8), target, out length);

    public int ReadSummary(int pid, out uint user, out ulong descriptors) => Stat.UidAndSize(_proc, ProcPath.Of(pid, "fd"u8), out user, out descriptors);

    public int ListThreads(int pid, List<int> threads)
    {
        // The directory has two links and one per thread. Most processes have one thread, so the listing is not needed.
        const uint LinksOfOneThread = 3;
        byte[] path = ProcPath.Of(pid, "task"u8);
        if (Stat.Links(_proc, path) == LinksOfOneThread)
        {
            threads.Clear();
            threads.Add(pid);
            return 0;
        }

        int errno = ProcFile.OpenDirectory(_proc, path, out int directory);
        if (errno != 0)
        {
            return errno;
        }

        errno = ProcFile.ReadNumbers(directory, threads);
        Close(directory);
        return errno;
    }

    public int CompareDescriptors(int thread, int other, out int order) => Kcmp.CompareFiles(thread, other, out order);

    public int OpenDescriptors(int pid, int thread, out int directory) =>
        ProcFile.OpenDirectory(_proc, thread == pid ? ProcPath.Of(pid, "fd"u8) : ProcPath.Of(pid, thread, "fd"u8), out directory);

    public int ListDescriptors(int directory, List<int> fds) => ProcFile.ReadNumbers(directory, fds);

    public int ReadDescriptor(int directory, int fd, Span<byte> target, out int length)
    {
        Span<byte> path = stackalloc byte[12];
        ProcPath.Number(path, fd);
        return ProcFile.ReadLink(directory, path, target, out length);
    }

    public int OpenProcess(int pid, out int process)
    {
        int errno = Pidfd.Open(pid, out process);
        return errno is Errno.EINVAL or Errno.ENOENT ? Pidfd.OpenThread(pid, out process) : errno;
    }

    public int FetchSocket(int process, int fd, out int socket) => Pidfd.GetDescriptor(process, fd, out socket);

    public int ReadCookie(int socket, out ulong cookie)
    {
        cookie = 0;
        uint length = sizeof(ulong);
        fixed (ulong* p = &cookie)
        {
            return Result(Socket.getsockopt(socket, Socket.SOL_SOCKET, Socket.SO_COOKIE, p, &length));
        }
    }

    public int ReadOption(int socket, int level, int option, out int value)
    {
        uint length = sizeof(int);
        fixed (int* p = &value)
        {
            return Result(Socket.getsockopt(socket, level, option, p, &length));
        }
    }

    public int SetOption(int socket, int level, int option, int value) =>
        Result(Socket.setsockopt(socket, level, option, &value, sizeof(int)));

    public int TryProbe()
    {
        int socket = Socket.socket(Socket.AF_INET, Socket.SOCK_STREAM | Socket.SOCK_CLOEXEC, 0);
        if (socket < 0)
        {
            int errno = Marshal.GetLastPInvokeError();
            if (errno != Errno.EAFNOSUPPORT)
            {
                return errno;
            }

            socket = Socket.socket(Socket.AF_INET6, Socket.SOCK_STREAM | Socket.SOCK_CLOEXEC, 0);
        }

        if (socket < 0)
        {
            return Marshal.GetLastPInvokeError();
        }

        int result = SetOption(socket, Tcp.IPPROTO_TCP, Tcp.TCP_REPAIR, Tcp.TCP_REPAIR_OFF);
        Close(socket);
        return result;
    }

    public int ReadTcpInfo(int socket, Span<byte> info, out int length)
    {
        uint read = (uint)info.Length;
        fixed (byte* p = info)
        {
            int errno = Result(Socket.getsockopt(socket, Tcp.IPPROTO_TCP, Tcp.TCP_INFO, p, &read));
            length = errno == 0 ? (int)read : 0;
            return errno;
        }
    }

    public int ReadEndpoints(int socket, out SockAddrIn6 local, out SockAddrIn6 remote)
    {
        (local, remote) = (default, default);
        uint localLength = (uint)sizeof(SockAddrIn6);
        uint remoteLength = (uint)sizeof(SockAddrIn6);
        fixed (SockAddrIn6* l = &local)
        fixed (SockAddrIn6* r = &remote)
        {
            int errno = Result(Socket.getsockname(socket, l, &localLength));
            return errno != 0 ? errno : Result(Socket.getpeername(socket, r, &remoteLength));
        }
    }

    public int Disconnect(int socket)
    {
        SockAddr unspecified = default;
        int errno = Result(Socket.connect(socket, &unspecified, (uint)sizeof(SockAddr)));
        if (errno == 0)
        {
            // It returns ENOTCONN but takes effect: the holder's reads return end of file instead of failing forever.
            _ = Socket.shutdown(socket, Socket.SHUT_RDWR);
        }

        return errno;
    }

    public int SendSignal(int process, int pid, int signal) =>
        process >= 0 ? Pidfd.SendSignal(process, signal) : Result(Signal.kill(pid, signal));

    public void Close(int handle) => _ = Unistd.close(handle);

    public void Dispose() => Close(_proc);

    private static int Result(int result) => result == 0 ? 0 : Marshal.GetLastPInvokeError();

    /// <summary>
    /// Checks that process ids mean the same in /proc and in system calls: /proc/self is this process, and NSpid (proc(5), Linux 4.1)
    /// lists a single pid namespace. Returns 0 or an errno.
    /// </summary>
    private int CheckPidNamespace()
    {
        Span<byte> link = stackalloc byte[16];
        Span<byte> pid = stackalloc byte[16];
        int errno = ProcFile.ReadLink(_proc, "self\0"u8, link, out int length);
        if (errno != 0)
        {
            // ENOENT: this process is not in the pid namespace of this /proc or one below it.
            return errno == Errno.ENOENT ? Errno.ESRCH : errno;
        }

        if (!link[..length].SequenceEqual(pid[..ProcPath.Number(pid, Self)]))
        {
            return Errno.ESRCH;
        }

        errno = ReadFile(Self, "status"u8, out byte[] content);
        if (errno != 0)
        {
            return errno;
        }

        ProcessStatus status = ProcessStatus.Parse(content);
        return status.NamespacePids is { Length: > 0 } pids && (pids.Length != 1 || pids[0] != Self) ? Errno.ESRCH : 0;
    }
}
