using System.Text;
using TcpCloser.Interop;
using TcpCloser.Proc;

namespace TcpCloser.Tests.Support;

/// <summary>The processes of a <see cref="FakeHost"/>, as /proc and the system calls give them.</summary>
/// <param name="host">The machine.</param>
internal sealed class FakeProcessTable(FakeHost host) : IProcessTable
{
    private const int FirstHandle = 1_000;

    private readonly Dictionary<int, object> _handles = [];

    /// <summary>The folders that were read: at their end, where nothing more is.</summary>
    private readonly HashSet<int> _listed = [];
    private int _nextHandle = FirstHandle;
    private bool _isDisposed;

    public int Self => host.Self;

    public int ListProcesses(List<int> pids)
    {
        // A list that cannot be read to its end may have been read to its middle.
        int errno = Next("list processes");
        pids.Clear();
        List<int> alive = [.. host.Processes.Where(static process => process.IsAlive).Select(static process => process.Pid)];
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

    public int Look(int pid, out uint user, out ulong descriptors)
    {
        int errno = Next("look");
        FakeProcess? process = errno == 0 ? Find(pid) : null;
        (user, descriptors) = (process?.Uid ?? 0, (ulong)(process?.Descriptors.Count ?? 0));
        return errno != 0 ? errno : process is null ? Errno.ENOENT : 0;
    }

    public int OpenDescriptors(int pid)
    {
        FakeProcess? process = Find(pid);
        return Next("open fd") is not 0 and int errno ? -errno
            : process is null ? -Errno.ENOENT
            : process.Refusal != 0 ? -process.Refusal
            : Add(process);
    }

    public int ListDescriptors(int folder, List<int> fds)
    {
        var process = (FakeProcess)_handles[folder];
        int errno = Next("list fd");
        fds.Clear();
        fds.AddRange(!process.IsAlive || !_listed.Add(folder) ? [] : errno == 0 ? process.Descriptors.Keys : process.Descriptors.Keys.Take(process.Descriptors.Count / 2));
        return errno != 0 ? errno : process.IsAlive ? 0 : Errno.ENOENT;
    }

    public int ReadDescriptor(int folder, int fd, Span<byte> target)
    {
        var process = (FakeProcess)_handles[folder];
        if (Next("read fd") is not 0 and int errno)
        {
            return -errno;
        }

        if (!process.IsAlive || !process.Descriptors.TryGetValue(fd, out string? text))
        {
            return -Errno.ENOENT;
        }

        byte[] bytes = Encoding.UTF8.GetBytes(text);
        int length = Math.Min(bytes.Length, target.Length);
        bytes.AsSpan(0, length).CopyTo(target);
        return length;
    }

    public int OpenProcess(int pid) =>
        Next("open process") is not 0 and int errno ? -errno
        : Find(pid) is { } process ? Add(process)
        : -Errno.ESRCH;

    public int FetchSocket(int process, int fd)
    {
        var owner = (FakeProcess)_handles[process];
        return Next("fetch socket") is not 0 and int errno ? -errno
            : !owner.IsAlive ? -Errno.ESRCH
            : owner.Refusal != 0 ? -Errno.EPERM
            : !owner.Descriptors.TryGetValue(fd, out string? text) ? -Errno.EBADF
            : Add(host.Sockets.Find(socket => socket.Link == text) ?? (object)text);
    }

    public int ReadCookie(int socket, out ulong cookie)
    {
        object what = _handles[socket];
        cookie = 0;
        if (Next("read cookie") is not 0 and int errno)
        {
            return errno;
        }

        cookie = (what as FakeTcp)?.OwnersCookie ?? 0;
        return what is FakeTcp ? 0 : Errno.ENOTSOCK;
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
        if (errno == 0)
        {
            tcp.Set(level, option, value);
        }

        return errno;
    }

    public int ReadTcpInfo(int socket, Span<byte> info)
    {
        var tcp = (FakeTcp)_handles[socket];
        if (Next("read tcp_info") is not 0 and int errno)
        {
            return -errno;
        }

        byte[] all = tcp.Info();
        int length = Math.Min(all.Length, info.Length);
        all.AsSpan(0, length).CopyTo(info);
        return length;
    }

    public int ReadEnds(int socket, out SockAddrIn6 local, out SockAddrIn6 remote)
    {
        object what = _handles[socket];
        (local, remote) = (default, default);
        if (Next("read ends") is not 0 and int errno)
        {
            return errno;
        }

        if (what is not FakeTcp tcp)
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
        FakeProcess? target = process >= 0 ? (FakeProcess)_handles[process] : Find(pid);
        if (Next("signal") is not 0 and int errno)
        {
            return errno;
        }

        if (target is not { IsAlive: true })
        {
            return Errno.ESRCH;
        }

        if (signal != 0)
        {
            host.Signal(target, signal);
        }

        return 0;
    }

    public void Close(int handle)
    {
        Assert.True(_handles.Remove(handle), $"handle {handle} is closed twice, or was none");
        host.LeftOpen--;
    }

    public void Dispose()
    {
        Assert.False(_isDisposed);
        _isDisposed = true;
        host.LeftOpen--;
    }

    private int Next(string call)
    {
        Assert.False(_isDisposed, $"{call} after the end");
        return host.Faults.Next(call);
    }

    private FakeProcess? Find(int pid) => host.Processes.Find(process => process.Pid == pid && process.IsAlive);

    private int Add(object what)
    {
        _handles.Add(_nextHandle, what);
        host.LeftOpen++;
        return _nextHandle++;
    }
}
