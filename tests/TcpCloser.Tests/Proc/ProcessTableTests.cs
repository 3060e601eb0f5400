using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Text;
using TcpCloser.Interop;
using TcpCloser.Proc;
using Socket = System.Net.Sockets.Socket;
using SocketOption = TcpCloser.Interop.Socket;

namespace TcpCloser.Tests.Proc;

/// <summary>The kernel's own table of processes, asked about this one.</summary>
public sealed class ProcessTableTests : IDisposable
{
    private readonly ProcessTable _table = new();

    public void Dispose() => _table.Dispose();

    [Fact]
    public void ThisProcessIsListed()
    {
        var pids = new List<int>();
        Assert.Equal(0, _table.ListProcesses(pids));
        Assert.Equal(Environment.ProcessId, _table.Self);
        Assert.Contains(_table.Self, pids);
        Assert.Contains(1, pids);
    }

    [Fact]
    public void AFileOfAProcess()
    {
        Assert.Equal(0, _table.ReadFile(_table.Self, "stat"u8, out byte[] content));
        Assert.StartsWith($"{_table.Self} (", Encoding.ASCII.GetString(content), StringComparison.Ordinal);
        Assert.Equal(Errno.ENOENT, _table.ReadFile(int.MaxValue, "stat"u8, out _));
        Assert.Equal(Errno.ENOENT, _table.ReadFile(_table.Self, "nothing"u8, out _));
    }

    [Fact]
    public void TheDescriptorsOfAProcess()
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        int fd = (int)socket.Handle;
        int folder = _table.OpenDescriptors(_table.Self);
        var fds = new List<int>();
        Assert.Equal(0, _table.ListDescriptors(folder, fds));
        Assert.Contains(fd, fds);
        Span<byte> target = stackalloc byte[64];
        int length = _table.ReadDescriptor(folder, fd, target);
        Assert.Matches(@"^socket:\[\d+\]$", Encoding.ASCII.GetString(target[..length]));
        Assert.Equal(-Errno.ENOENT, _table.ReadDescriptor(folder, int.MaxValue, target));
        _table.Close(folder);
        Assert.Equal(Errno.EBADF, _table.ListDescriptors(folder, fds));
        Assert.Equal(-Errno.ENOENT, _table.OpenDescriptors(int.MaxValue));
    }

    /// <summary>A socket is a duplicate of the owner's: what is done with it is done to the owner's.</summary>
    [Fact]
    public void AFetchedSocket()
    {
        using var listener = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        listener.Listen();
        using var client = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        client.Connect(listener.LocalEndPoint!);
        using Socket server = listener.Accept();
        int handle = Fetch((int)client.Handle);

        Assert.Equal(0, _table.ReadEnds(handle, out SockAddrIn6 local, out SockAddrIn6 remote));
        Assert.Equal(((IPEndPoint)client.LocalEndPoint!).Port, BinaryPort(local));
        Assert.Equal(((IPEndPoint)client.RemoteEndPoint!).Port, BinaryPort(remote));
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
        Assert.Equal(Errno.ENOTCONN, _table.ReadEnds(handle, out _, out _));
        Assert.Equal(SocketError.ConnectionReset, Assert.Throws<SocketException>(() => server.Receive(new byte[1])).SocketErrorCode);
        Assert.Equal(SocketError.ConnectionReset, Assert.Throws<SocketException>(() => client.Receive(new byte[1])).SocketErrorCode);
        Assert.Equal(0, client.Receive(new byte[1]));
        _table.Close(handle);
        Assert.Equal(Errno.EBADF, _table.ReadCookie(handle, out _));
    }

    /// <summary>A descriptor that is no socket, or none.</summary>
    [Fact]
    public void WhatIsNoSocket()
    {
        using FileStream file = File.OpenRead("/dev/null");
        int handle = Fetch((int)file.SafeFileHandle.DangerousGetHandle());
        Assert.Equal(Errno.ENOTSOCK, _table.ReadCookie(handle, out _));
        Assert.Equal(Errno.ENOTSOCK, _table.ReadEnds(handle, out _, out _));
        Assert.Equal(Errno.ENOTSOCK, _table.ReadOption(handle, SocketOption.SOL_SOCKET, SocketOption.SO_KEEPALIVE, out _));
        Assert.Equal(Errno.ENOTSOCK, _table.SetOption(handle, SocketOption.SOL_SOCKET, SocketOption.SO_KEEPALIVE, 1));
        Assert.Equal(-Errno.ENOTSOCK, _table.ReadTcpInfo(handle, new byte[8]));
        Assert.Equal(Errno.ENOTSOCK, _table.Disconnect(handle));
        _table.Close(handle);

        int process = _table.OpenProcess(_table.Self);
        Assert.Equal(-Errno.EBADF, _table.FetchSocket(process, int.MaxValue));
        _table.Close(process);
    }

    /// <summary>Signal 0 asks only whether one may.</summary>
    [Fact]
    public void ASignalByHandleAndById()
    {
        using Process child = Process.Start("sleep", "600");
        int process = _table.OpenProcess(child.Id);
        Assert.InRange(process, 3, int.MaxValue);
        Assert.Equal(0, _table.SendSignal(process, pid: 0, signal: 0));
        Assert.Equal(0, _table.SendSignal(-1, child.Id, signal: 0));

        // The handle counts where there is one, and the id does not.
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

    private static int BinaryPort(SockAddrIn6 name) => (ushort)IPAddress.NetworkToHostOrder((short)name.Port);
}
