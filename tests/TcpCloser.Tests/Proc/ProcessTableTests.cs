using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Socket = System.Net.Sockets.Socket;
using SocketOption = TcpCloser.Interop.Socket;

namespace TcpCloser.Tests.Proc;

/// <summary>The process table of this kernel, used on this process.</summary>
public sealed class ProcessTableTests : IDisposable
{
    private readonly ProcessTable _table = new();

    public void Dispose() => _table.Dispose();

    [Fact]
    public void Processes_OnThisMachine_IncludeThisProcess()
    {
        var pids = new List<int>();
        Assert.Equal(0, _table.ListProcesses(pids));
        Assert.Equal(Environment.ProcessId, _table.Self);
        Assert.Contains(_table.Self, pids);
        Assert.Contains(1, pids);
    }

    [Fact]
    public void ReadFile_OfThisProcess_ReturnsItsContent()
    {
        Assert.Equal(0, _table.ReadFile(_table.Self, "stat"u8, out byte[] content));
        Assert.StartsWith($"{_table.Self} (", Encoding.ASCII.GetString(content), StringComparison.Ordinal);
        Assert.Equal(Errno.ENOENT, _table.ReadFile(int.MaxValue, "stat"u8, out _));
        Assert.Equal(Errno.ENOENT, _table.ReadFile(_table.Self, "nothing"u8, out _));
    }

    [Fact]
    public void Descriptors_OfThisProcess_AreListedAndRead()
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        int fd = (int)socket.Handle;
        int directory = _table.OpenDescriptors(_table.Self, _table.Self);
        var fds = new List<int>();
        Assert.Equal(0, _table.ListDescriptors(directory, fds));
        Assert.Contains(fd, fds);
        Span<byte> target = stackalloc byte[64];
        int length = _table.ReadDescriptor(directory, fd, target);
        Assert.Matches(@"^socket:\[\d+\]$", Encoding.ASCII.GetString(target[..length]));
        Assert.Equal(-Errno.ENOENT, _table.ReadDescriptor(directory, int.MaxValue, target));
        _table.Close(directory);
        Assert.Equal(Errno.EBADF, _table.ListDescriptors(directory, fds));
        Assert.Equal(-Errno.ENOENT, _table.OpenDescriptors(int.MaxValue, int.MaxValue));
    }

    [Fact]
    public void Processes_ListedTwice_AreCompleteBothTimes()
    {
        for (int i = 0; i < 2; i++)
        {
            var pids = new List<int>();
            Assert.Equal(0, _table.ListProcesses(pids));
            Assert.Contains(_table.Self, pids);
        }
    }

    [Fact]
    public void Threads_OfThisProcess_AreListedAndShareOneDescriptorTable()
    {
        using var ended = new ManualResetEventSlim();
        var thread = new Thread(ended.Wait);
        thread.Start();
        var threads = new List<int>();
        Assert.Equal(0, _table.ListThreads(_table.Self, threads));
        ended.Set();

        Assert.Contains(_table.Self, threads);
        Assert.True(threads.Count > 1);
        Assert.SkipWhen(_table.CompareDescriptors(_table.Self, _table.Self) == -Errno.ENOSYS, "this kernel has no kcmp");
        Assert.Equal(Kcmp.Equal, _table.CompareDescriptors(_table.Self, threads.Find(id => id != _table.Self)));
        Assert.Equal(-Errno.ESRCH, _table.CompareDescriptors(_table.Self, int.MaxValue));
        thread.Join();
    }

    [Fact]
    public void Threads_OfAnotherProcess_HaveAnotherDescriptorTable()
    {
        using Process child = Process.Start("sleep", "600");
        var threads = new List<int> { 7 };
        Assert.Equal(0, _table.ListThreads(child.Id, threads));
        Assert.Equal([child.Id], threads);
        int order = _table.CompareDescriptors(_table.Self, child.Id);
        int reverse = _table.CompareDescriptors(child.Id, _table.Self);
        child.Kill();
        child.WaitForExit();

        Assert.Equal(Errno.ENOENT, _table.ListThreads(int.MaxValue, threads));
        Assert.SkipWhen(order == -Errno.ENOSYS, "this kernel has no kcmp");
        Assert.Equal(Kcmp.Less + Kcmp.Greater, order + reverse);
    }

    [Fact]
    public void DescriptorsOfAThread_ThreadOfAnotherProcess_AreNotFound()
    {
        using Process child = Process.Start("sleep", "600");
        Assert.Equal(-Errno.ENOENT, _table.OpenDescriptors(_table.Self, child.Id));
        child.Kill();
        child.WaitForExit();
    }

    /// <summary>A fetched socket is a duplicate of the holder's: whatever is done to it is done to the holder's.</summary>
    [Fact]
    public void FetchedSocket_SetAndDisconnected_ChangesTheHoldersSocket()
    {
        using var listener = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        listener.Listen();
        using var client = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        client.Connect(listener.LocalEndPoint!);
        using Socket server = listener.Accept();
        int handle = Fetch((int)client.Handle);

        Assert.Equal(0, _table.ReadEndpoints(handle, out SockAddrIn6 local, out SockAddrIn6 remote));
        Assert.Equal(((IPEndPoint)client.LocalEndPoint!).Port, PortOf(local));
        Assert.Equal(((IPEndPoint)client.RemoteEndPoint!).Port, PortOf(remote));
        Assert.Equal(0, _table.ReadCookie(handle, out ulong cookie));
        Assert.NotEqual(0UL, cookie);
        Assert.Equal(0, _table.SetOption(handle, Tcp.IPPROTO_TCP, Tcp.TCP_KEEPIDLE, 77));
        Assert.Equal(0, _table.ReadOption(handle, Tcp.IPPROTO_TCP, Tcp.TCP_KEEPIDLE, out int idle));
        Assert.Equal(77, idle);
        Assert.Equal(77, client.GetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveTime));
        Span<byte> info = stackalloc byte[TcpInfo.Size];
        Assert.InRange(_table.ReadTcpInfo(handle, info), 56, TcpInfo.Size);
        Assert.Equal(TcpState.Established, info[TcpInfo.State]);
        Assert.Equal(8, _table.ReadTcpInfo(handle, info[..8]));

        Assert.Equal(0, _table.Disconnect(handle));
        Assert.Equal(Errno.ENOTCONN, _table.ReadEndpoints(handle, out _, out _));
        Assert.Equal(SocketError.ConnectionReset, Assert.Throws<SocketException>(() => server.Receive(new byte[1])).SocketErrorCode);
        Assert.Equal(SocketError.ConnectionReset, Assert.Throws<SocketException>(() => client.Receive(new byte[1])).SocketErrorCode);
        Assert.Equal(0, client.Receive(new byte[1]));
        _table.Close(handle);
        Assert.Equal(Errno.EBADF, _table.ReadCookie(handle, out _));
    }

    /// <summary>A descriptor that is not a socket, and a number that is not a descriptor.</summary>
    [Fact]
    public void FetchedSocket_NotASocket_FailsWithTheErrno()
    {
        using FileStream file = File.OpenRead("/dev/null");
        int handle = Fetch((int)file.SafeFileHandle.DangerousGetHandle());
        Assert.Equal(Errno.ENOTSOCK, _table.ReadCookie(handle, out _));
        Assert.Equal(Errno.ENOTSOCK, _table.ReadEndpoints(handle, out _, out _));
        Assert.Equal(Errno.ENOTSOCK, _table.ReadOption(handle, SocketOption.SOL_SOCKET, SocketOption.SO_KEEPALIVE, out _));
        Assert.Equal(Errno.ENOTSOCK, _table.SetOption(handle, SocketOption.SOL_SOCKET, SocketOption.SO_KEEPALIVE, 1));
        Assert.Equal(-Errno.ENOTSOCK, _table.ReadTcpInfo(handle, new byte[8]));
        Assert.Equal(Errno.ENOTSOCK, _table.Disconnect(handle));
        _table.Close(handle);

        int process = _table.OpenProcess(_table.Self);
        Assert.Equal(-Errno.EBADF, _table.FetchSocket(process, int.MaxValue));
        _table.Close(process);
    }

    /// <summary>Signal 0 only checks the permission.</summary>
    [Fact]
    public void Signal_ByHandleAndById_GoesToTheProcessOfTheHandle()
    {
        using Process child = Process.Start("sleep", "600");
        int process = _table.OpenProcess(child.Id);
        Assert.InRange(process, 3, int.MaxValue);
        Assert.Equal(0, _table.SendSignal(process, pid: 0, signal: 0));
        Assert.Equal(0, _table.SendSignal(-1, child.Id, signal: 0));

        // If there is a handle, the id is ignored.
        Assert.Equal(0, _table.SendSignal(process, int.MaxValue, Signal.SIGKILL));
        child.WaitForExit();
        Assert.Equal(128 + Signal.SIGKILL, child.ExitCode);
        Assert.Equal(Errno.ESRCH, _table.SendSignal(process, child.Id, signal: 0));
        _table.Close(process);
        Assert.Equal(-Errno.ESRCH, _table.OpenProcess(child.Id));
        Assert.Equal(Errno.ESRCH, _table.SendSignal(-1, int.MaxValue, signal: 0));
    }

    /// <summary>Fetches a descriptor of this process itself.</summary>
    private int Fetch(int fd)
    {
        int process = _table.OpenProcess(_table.Self);
        int handle = process < 0 ? process : _table.FetchSocket(process, fd);
        Assert.SkipWhen(handle is -Errno.ENOSYS or -Errno.EPERM, "this kernel or its filter has no pidfd_getfd");
        _table.Close(process);
        Assert.InRange(handle, 3, int.MaxValue);
        return handle;
    }

    private static int PortOf(SockAddrIn6 name) => (ushort)IPAddress.NetworkToHostOrder((short)name.Port);
}

/// <summary>The calls whose value a test reads, or minus the errno.</summary>
internal static class ProcessTableCalls
{
    public static int OpenDescriptors(this ProcessTable table, int pid, int thread) => Of(table.OpenDescriptors(pid, thread, out int directory), directory);

    public static int ReadDescriptor(this ProcessTable table, int directory, int fd, Span<byte> target) =>
        Of(table.ReadDescriptor(directory, fd, target, out int length), length);

    public static int ReadTcpInfo(this ProcessTable table, int socket, Span<byte> info) => Of(table.ReadTcpInfo(socket, info, out int length), length);

    public static int CompareDescriptors(this ProcessTable table, int thread, int other) => Of(table.CompareDescriptors(thread, other, out int order), order);

    public static int OpenProcess(this ProcessTable table, int pid) => Of(table.OpenProcess(pid, out int process), process);

    public static int FetchSocket(this ProcessTable table, int process, int fd) => Of(table.FetchSocket(process, fd, out int socket), socket);

    private static int Of(int errno, int value) => errno == 0 ? value : -errno;
}
