using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Socket = System.Net.Sockets.Socket;
using SocketOption = TcpCloser.Interop.Socket;

namespace TcpCloser.Tests.Proc;

/// <summary>The process table of this kernel, used on this process and on a child.</summary>
public sealed class ProcessTableTests : IDisposable
{
    private readonly ProcessTable _table = new();
    private readonly Process _child = Process.Start("sleep", "600");

    public void Dispose()
    {
        _child.Kill();
        _child.Dispose();
        _table.Dispose();
    }

    [Fact]
    public void Processes_ListedTwice_AreCompleteBothTimes()
    {
        Assert.Equal(Environment.ProcessId, _table.Self);
        for (int i = 0; i < 2; i++)
        {
            var pids = new List<int>();
            Assert.Equal(0, _table.ListProcesses(pids));
            Assert.Contains(_table.Self, pids);
            Assert.Contains(1, pids);
        }
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
        using Socket socket = NewSocket();
        int directory = Value(_table.OpenDescriptors(_table.Self, _table.Self, out int opened), opened);
        var fds = new List<int>();
        Assert.Equal(0, _table.ListDescriptors(directory, fds));
        Assert.Contains((int)socket.Handle, fds);
        Span<byte> target = stackalloc byte[64];
        Assert.Equal(0, _table.ReadDescriptor(directory, (int)socket.Handle, target, out int length));
        Assert.Matches(@"^socket:\[\d+\]$", Encoding.ASCII.GetString(target[..length]));
        Assert.Equal(Errno.ENOENT, _table.ReadDescriptor(directory, int.MaxValue, target, out _));
        _table.Close(directory);
        Assert.Equal(Errno.EBADF, _table.ListDescriptors(directory, fds));
        Assert.Equal(Errno.ENOENT, _table.OpenDescriptors(int.MaxValue, int.MaxValue, out _));
        Assert.Equal(Errno.ENOENT, _table.OpenDescriptors(_table.Self, _child.Id, out _)); // not a thread of this process
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
        Assert.Equal(Kcmp.Equal, Compare(_table.Self, threads.Find(id => id != _table.Self)));
        Assert.Equal(Errno.ESRCH, _table.CompareDescriptors(_table.Self, int.MaxValue, out _));
        thread.Join();
    }

    [Fact]
    public void Threads_OfAnotherProcess_HaveAnotherDescriptorTable()
    {
        var threads = new List<int> { 7 };
        Assert.Equal(0, _table.ListThreads(_child.Id, threads));
        Assert.Equal([_child.Id], threads);
        Assert.Equal(Errno.ENOENT, _table.ListThreads(int.MaxValue, threads));
        Assert.Equal(Kcmp.Less + Kcmp.Greater, Compare(_table.Self, _child.Id) + Compare(_child.Id, _table.Self));
    }

    /// <summary>A fetched socket is a duplicate of the holder's: whatever is done to it is done to the holder's.</summary>
    [Fact]
    public void FetchedSocket_SetAndDisconnected_ChangesTheHoldersSocket()
    {
        using Socket listener = NewSocket();
        listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        listener.Listen();
        using Socket client = NewSocket();
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
        Assert.Equal(0, _table.ReadTcpInfo(handle, info, out int length));
        Assert.InRange(length, 56, TcpInfo.Size);
        Assert.Equal(TcpState.Established, info[TcpInfo.State]);
        Assert.Equal((0, 8), (_table.ReadTcpInfo(handle, info[..8], out length), length));

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
        Assert.Equal(Errno.ENOTSOCK, _table.ReadTcpInfo(handle, new byte[8], out _));
        Assert.Equal(Errno.ENOTSOCK, _table.Disconnect(handle));
        _table.Close(handle);

        int process = Value(_table.OpenProcess(_table.Self, out int opened), opened);
        Assert.Equal(Errno.EBADF, _table.FetchSocket(process, int.MaxValue, out _));
        _table.Close(process);
    }

    /// <summary>Signal 0 only checks the permission.</summary>
    [Fact]
    public void Signal_ByHandleAndById_GoesToTheProcessOfTheHandle()
    {
        int process = Value(_table.OpenProcess(_child.Id, out int opened), opened);
        Assert.InRange(process, 3, int.MaxValue);
        Assert.Equal(0, _table.SendSignal(process, pid: 0, signal: 0));
        Assert.Equal(0, _table.SendSignal(-1, _child.Id, signal: 0));

        // If there is a handle, the id is ignored.
        Assert.Equal(0, _table.SendSignal(process, int.MaxValue, Signal.SIGKILL));
        _child.WaitForExit();
        Assert.Equal(128 + Signal.SIGKILL, _child.ExitCode);
        Assert.Equal(Errno.ESRCH, _table.SendSignal(process, _child.Id, signal: 0));
        _table.Close(process);
        Assert.Equal(Errno.ESRCH, _table.OpenProcess(_child.Id, out _));
        Assert.Equal(Errno.ESRCH, _table.SendSignal(-1, int.MaxValue, signal: 0));
    }

    private static Socket NewSocket() => new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);

    /// <summary>Fetches a descriptor of this process itself.</summary>
    private int Fetch(int fd)
    {
        int errno = _table.OpenProcess(_table.Self, out int process);
        int handle = -1;
        errno = errno == 0 ? _table.FetchSocket(process, fd, out handle) : errno;
        Assert.SkipWhen(errno is Errno.ENOSYS or Errno.EPERM, "this kernel or its filter has no pidfd_getfd");
        _table.Close(process);
        Assert.InRange(Value(errno, handle), 3, int.MaxValue);
        return handle;
    }

    private int Compare(int thread, int other)
    {
        int errno = _table.CompareDescriptors(thread, other, out int order);
        Assert.SkipWhen(errno == Errno.ENOSYS, "this kernel has no kcmp");
        return Value(errno, order);
    }

    private static int Value(int errno, int value)
    {
        Assert.Equal(0, errno);
        return value;
    }

    private static int PortOf(SockAddrIn6 name) => (ushort)IPAddress.NetworkToHostOrder((short)name.Port);
}
