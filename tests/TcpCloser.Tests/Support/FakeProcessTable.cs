using System.Text;

namespace TcpCloser.Tests.Support;

/// <summary>The processes of a <see cref="FakeHost"/>, as seen through /proc and system calls.</summary>
internal sealed class FakeProcessTable(FakeHost host) : IProcessTable
{
    private const int FirstHandle = 1_000;
    private readonly Dictionary<int, object> _handles = [];
    private readonly HashSet<int> _listed = []; // the directories that were read to their end
    private int _nextHandle = FirstHandle;
    private bool _isDisposed;

    public int Self => host.Self;
    public bool IsInInitialPidNamespace => host.IsInInitialPidNamespace;
    public bool IsInInitialNetworkNamespace => host.IsInInitialNetworkNamespace;
    public uint? OverflowUid => host.OverflowUid;

    public int ListProcesses(List<int> pids)
    {
        // A list that cannot be read completely may have been read in part.
        int errno = Next("list processes");
        pids.Clear();
        List<int> alive = [.. host.Processes.Where(static process => process is { IsAlive: true, IsHidden: false }).Select(static process => process.Pid)];
        pids.AddRange(errno == 0 ? alive : alive[..(alive.Count / 2)]);
        return errno;
    }

    public int ReadFile(int pid, ReadOnlySpan<byte> name, out byte[] content)
    {
        content = [];
        string file = Encoding.ASCII.GetString(name);
        int errno = Next("read " + file);
        if (errno == 0)
        {
            FakeProcess? process = Find(pid);
            byte[]? text = process?.File(file);
            errno = text is null ? Errno.ENOENT : file == "environ" ? process!.Refusal : 0;
            content = errno == 0 ? text! : [];
        }

        return errno;
    }

    public ulong NetworkNamespaceOf(int pid) => Find(pid)?.NetworkNamespace ?? 0;

    private int ReadExecutable(int pid, Span<byte> target)
    {
        if (Next("read exe") is not 0 and int errno)
        {
            return -errno;
        }

        FakeProcess? process = Find(pid);
        return process is null ? -Errno.ENOENT
            : process.Refusal != 0 ? -process.Refusal
            : Encoding.UTF8.GetBytes(process.Executable, target);
    }

    public int ReadSummary(int pid, out uint user, out ulong descriptors)
    {
        int errno = Next("look");
        FakeProcess? process = errno == 0 ? Find(pid) : null;
        (user, descriptors) = (process?.Uid ?? 0, (ulong)(process?.Descriptors.Count ?? 0));
        return errno != 0 ? errno : process is null ? Errno.ENOENT : 0;
    }

    public int ListThreads(int pid, List<int> threads)
    {
        int errno = Next("list threads");
        FakeProcess? process = Find(pid);
        threads.Clear();
        threads.AddRange(process is null ? [] : [.. Enumerable.Range(pid, 1 + process.SharingThreads), .. process.Threads.Keys]);
        return errno != 0 ? errno : process is null ? Errno.ENOENT : 0;
    }

    /// <summary>Orders the tables by thread id.</summary>
    public int CompareDescriptors(int thread, int other, out int order)
    {
        SortedDictionary<int, string>? first = FindDescriptors(thread);
        SortedDictionary<int, string>? second = FindDescriptors(other);
        order = first == second ? Kcmp.Equal : thread < other ? Kcmp.Less : Kcmp.Greater;
        return Next("compare fds") is not 0 and int errno ? errno
            : first is null || second is null ? Errno.ESRCH
            : 0;
    }

    private int OpenDescriptors(int pid, int thread)
    {
        FakeProcess? process = Find(pid);
        SortedDictionary<int, string>? descriptors = process?.DescriptorsOf(thread);
        return Next("open fd") is not 0 and int errno ? -errno
            : descriptors is null ? -Errno.ENOENT
            : process!.Refusal != 0 ? -process.Refusal
            : Add(new Table(process, descriptors));
    }

    public int ListDescriptors(int directory, List<int> fds)
    {
        (FakeProcess process, SortedDictionary<int, string> descriptors) = (Table)_handles[directory];
        int errno = Next("list fd");
        fds.Clear();
        fds.AddRange(!process.IsAlive || !_listed.Add(directory) ? [] : errno == 0 ? descriptors.Keys : descriptors.Keys.Take(descriptors.Count / 2));
        return errno != 0 ? errno : process.IsAlive ? 0 : Errno.ENOENT;
    }

    private int ReadDescriptor(int directory, int fd, Span<byte> target)
    {
        (FakeProcess process, SortedDictionary<int, string> descriptors) = (Table)_handles[directory];
        return Next("read fd") is not 0 and int errno ? -errno
            : process.IsAlive && descriptors.TryGetValue(fd, out string? text) ? Copy(Encoding.UTF8.GetBytes(text), target)
            : -Errno.ENOENT;
    }

    private int OpenProcess(int pid) =>
        Next("open process") is not 0 and int errno ? -errno
        : Find(pid) is { } process ? Add(new Table(process, process.Descriptors))
        : FindDescriptors(pid) is not { } descriptors ? -Errno.ESRCH
        : host.CanOpenThreads ? Add(new Table(host.Processes.Find(owner => owner.DescriptorsOf(pid) == descriptors)!, descriptors))
        : -Errno.EINVAL;

    private int FetchSocket(int process, int fd)
    {
        (FakeProcess owner, SortedDictionary<int, string> descriptors) = (Table)_handles[process];
        return Next("fetch socket") is not 0 and int errno ? -errno
            : !owner.IsAlive ? -Errno.ESRCH
            : owner.Refusal != 0 ? -Errno.EPERM
            : !descriptors.TryGetValue(fd, out string? text) ? -Errno.EBADF
            : Add(host.Sockets.Find(socket => socket.Link == text) ?? (object)text);
    }

    public int ReadCookie(int socket, out ulong cookie)
    {
        object target = _handles[socket];
        cookie = 0;
        if (Next("read cookie") is not 0 and int errno)
        {
            return errno;
        }

        cookie = (target as FakeTcp)?.HolderCookie ?? 0;
        return target is FakeTcp ? 0 : Errno.ENOTSOCK;
    }

    public int ReadOption(int socket, int level, int option, out int value)
    {
        var tcp = (FakeTcp)_handles[socket];
        value = 0;
        return Next("read option") is not 0 and int errno ? errno
            : tcp.Options.TryGetValue((level, option), out value) ? 0
            : Errno.EINVAL;
    }

    public int SetOption(int socket, int level, int option, int value)
    {
        var tcp = (FakeTcp)_handles[socket];
        int errno = Next("set option");
        errno = errno == 0 && option == Tcp.TCP_REPAIR && level == Tcp.IPPROTO_TCP ? host.ProbeErrno : errno;
        if (errno == 0)
        {
            tcp.Set(level, option, value);
        }

        return errno;
    }

    public int TryProbe() => Next("try question") is not 0 and int errno ? errno : host.ProbeErrno;

    private int ReadTcpInfo(int socket, Span<byte> info)
    {
        var tcp = (FakeTcp)_handles[socket];
        return Next("read tcp_info") is not 0 and int errno ? -errno : Copy(tcp.Info(), info);
    }

    public int ReadEndpoints(int socket, out SockAddrIn6 local, out SockAddrIn6 remote)
    {
        object target = _handles[socket];
        (local, remote) = (default, default);
        if (Next("read ends") is not 0 and int errno)
        {
            return errno;
        }

        if (target is not FakeTcp tcp)
        {
            return Errno.ENOTSOCK;
        }

        (local, remote) = (tcp.Local, tcp.Remote);
        return tcp.IsOpen ? 0 : Errno.ENOTCONN;
    }

    public int Disconnect(int socket)
    {
        var tcp = (FakeTcp)_handles[socket];
        int errno = Next("disconnect");
        if (errno == 0)
        {
            host.Disconnect(tcp);
        }

        return errno;
    }

    public int SendSignal(int process, int pid, int signal)
    {
        FakeProcess? target = process >= 0 ? ((Table)_handles[process]).Process : host.Processes.Find(other => other.Pid == pid && other.IsAlive);
        int errno = Next("signal");
        errno = errno == 0 && target is not { IsAlive: true } ? Errno.ESRCH : errno;
        if (errno == 0 && signal != 0)
        {
            host.Signal(target!, signal);
        }

        return errno;
    }

    public int ReadExecutable(int pid, Span<byte> target, out int length) => Length(ReadExecutable(pid, target), out length);
    public int OpenDescriptors(int pid, int thread, out int directory) => Handle(OpenDescriptors(pid, thread), out directory);
    public int ReadDescriptor(int directory, int fd, Span<byte> target, out int length) => Length(ReadDescriptor(directory, fd, target), out length);
    public int OpenProcess(int pid, out int process) => Handle(OpenProcess(pid), out process);
    public int FetchSocket(int process, int fd, out int socket) => Handle(FetchSocket(process, fd), out socket);
    public int ReadTcpInfo(int socket, Span<byte> info, out int length) => Length(ReadTcpInfo(socket, info), out length);

    public void Close(int handle)
    {
        Assert.True(_handles.Remove(handle), $"handle {handle} was closed twice, or never opened");
        host.LeftOpen--;
    }

    public void Dispose()
    {
        Assert.False(_isDisposed);
        _isDisposed = true;
        host.LeftOpen--;
    }

    private static int Copy(byte[] bytes, Span<byte> target)
    {
        int length = Math.Min(bytes.Length, target.Length);
        bytes.AsSpan(0, length).CopyTo(target);
        return length;
    }

    private static int Handle(int result, out int handle)
    {
        handle = Math.Max(result, -1);
        return result < 0 ? -result : 0;
    }

    private static int Length(int result, out int length)
    {
        length = Math.Max(result, 0);
        return length - result;
    }

    private int Next(string call)
    {
        Assert.False(_isDisposed, $"{call} after Dispose");
        return host.Faults.Next(call);
    }

    /// <summary>The process, if /proc shows it.</summary>
    private FakeProcess? Find(int pid) => host.Processes.Find(process => process.Pid == pid && process is { IsAlive: true, IsHidden: false });

    /// <summary>The descriptors of a thread, whatever its process.</summary>
    private SortedDictionary<int, string>? FindDescriptors(int thread) =>
        host.Processes.Find(process => process.IsAlive && process.DescriptorsOf(thread) is not null)?.DescriptorsOf(thread);

    private int Add(object target)
    {
        _handles.Add(_nextHandle, target);
        host.LeftOpen++;
        return _nextHandle++;
    }

    /// <summary>A process that was opened through one of its threads, and that thread's descriptors.</summary>
    private sealed record Table(FakeProcess Process, SortedDictionary<int, string> Descriptors);
}
