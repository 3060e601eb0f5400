using System.Runtime.InteropServices;
using TcpCloser.Interop;

namespace TcpCloser.Proc;

/// <summary>The kernel's own table of processes: /proc, open, and sure to be that of this pid namespace.</summary>
internal sealed unsafe class ProcessTable : IProcessTable
{
    private readonly int _proc;

    /// <exception cref="SystemCallException">/proc is not there, or shows the processes of another pid namespace, whose ids mean others here.</exception>
    public ProcessTable()
    {
        _proc = ProcFile.OpenDirectory(Fcntl.AT_FDCWD, "/proc\0"u8);
        if (_proc < 0)
        {
            throw new SystemCallException(Operation.OpenProc, -_proc);
        }

        int errno = FindOutWhetherItIsOurs();
        if (errno != 0)
        {
            Dispose();
            throw new SystemCallException(Operation.UseProc, errno);
        }
    }

    public int Self { get; } = Unistd.getpid();

    public int ListProcesses(List<int> pids) => ProcFile.ReadNumbers(_proc, pids);

    public int ReadFile(int pid, ReadOnlySpan<byte> name, out byte[] content) => ProcFile.Read(_proc, ProcPath.Of(pid, name), out content);

    public ulong NetworkNamespaceOf(int pid) => Stat.Inode(_proc, ProcPath.Of(pid, "ns/net"u8));

    public int Look(int pid, out uint user, out ulong descriptors) => Stat.OwnerAndSize(_proc, ProcPath.Of(pid, "fd"u8), out user, out descriptors);

    public int OpenDescriptors(int pid) => ProcFile.OpenDirectory(_proc, ProcPath.Of(pid, "fd"u8));

    public int ListDescriptors(int folder, List<int> fds) => ProcFile.ReadNumbers(folder, fds);

    public int ReadDescriptor(int folder, int fd, Span<byte> target)
    {
        Span<byte> path = stackalloc byte[12];
        ProcPath.Number(path, fd);
        return ProcFile.ReadLink(folder, path, target);
    }

    public int OpenProcess(int pid) => Pidfd.Open(pid);

    public int FetchSocket(int process, int fd) => Pidfd.GetDescriptor(process, fd);

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

    public int ReadTcpInfo(int socket, Span<byte> info)
    {
        uint length = (uint)info.Length;
        fixed (byte* p = info)
        {
            int errno = Result(Socket.getsockopt(socket, Tcp.IPPROTO_TCP, Tcp.TCP_INFO, p, &length));
            return errno == 0 ? (int)length : -errno;
        }
    }

    public int ReadEnds(int socket, out SockAddrIn6 local, out SockAddrIn6 remote)
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
            // It answers ENOTCONN and works all the same: the owner's reads come to the end of file, and do not fail for ever.
            _ = Socket.shutdown(socket, Socket.SHUT_RDWR);
        }

        return errno;
    }

    public int SendSignal(int process, int pid, int signal) =>
        process >= 0 ? -Pidfd.SendSignal(process, signal) : Result(Signal.kill(pid, signal));

    public void Close(int handle) => _ = Unistd.close(handle);

    public void Dispose() => Close(_proc);

    private static int Result(int result) => result == 0 ? 0 : Marshal.GetLastPInvokeError();

    /// <summary>
    /// Returns 0 where process ids mean the same to /proc and to the system calls: then self is this process, and NSpid
    /// (proc(5), Linux 4.1) names it in one pid namespace alone. Otherwise an errno.
    /// </summary>
    private int FindOutWhetherItIsOurs()
    {
        Span<byte> link = stackalloc byte[16];
        Span<byte> pid = stackalloc byte[16];
        int length = ProcFile.ReadLink(_proc, "self\0"u8, link);
        if (length < 0)
        {
            // ENOENT: this process is in no pid namespace that this /proc shows.
            return length == -Errno.ENOENT ? Errno.ESRCH : -length;
        }

        if (!link[..length].SequenceEqual(pid[..ProcPath.Number(pid, Self)]))
        {
            return Errno.ESRCH;
        }

        int errno = ReadFile(Self, "status"u8, out byte[] content);
        if (errno != 0)
        {
            return errno;
        }

        ProcessStatus status = ProcessStatus.Parse(content);
        return status.NamespacePids is { Length: > 0 } pids && (pids.Length != 1 || pids[0] != Self) ? Errno.ESRCH : 0;
    }
}
