using System.Runtime.InteropServices;
using TcpCloser.Cli;
using TcpCloser.Interop;
using TcpCloser.Proc;

namespace TcpCloser.Diag;

/// <summary>
/// A network namespace to look in. setns(2) moves only the calling thread and a socket stays where it was opened, so one
/// process serves many. It never goes back: every socket is opened by saying which namespace it is for.
/// </summary>
internal class NetworkNamespace : IDisposable
{
    private readonly int _fd;
    private readonly Dictionary<uint, byte[]> _deviceNames = [];

    /// <param name="name">What it is called in lines and records; null: the own one, when no other is looked at.</param>
    /// <param name="fd">Its descriptor, closed with this; -1: the own one, without a setns(2).</param>
    public NetworkNamespace(byte[]? name = null, int fd = -1)
    {
        Name = name;
        _fd = fd;
    }

    public NetworkNamespace(NamespaceFile file) : this(file.Name, file.Descriptor)
    {
    }

    /// <summary>Bytes of anything but a slash: whoever made the namespace chose them.</summary>
    public byte[]? Name { get; }

    /// <summary>How a line names it.</summary>
    public string? Description => Name is null ? null : "in netns " + Escape.Text(Name);

    /// <summary>Opens a NETLINK_SOCK_DIAG socket in it (sock_diag(7)).</summary>
    /// <exception cref="SystemCallException">It may not be entered, or no netlink.</exception>
    public virtual INetlinkSocket OpenSocket() => Open(Netlink.NETLINK_SOCK_DIAG);

    /// <summary>Opens a NETLINK_ROUTE socket in it (rtnetlink(7)).</summary>
    /// <exception cref="SystemCallException">It may not be entered, or no netlink.</exception>
    public virtual INetlinkSocket OpenRouteSocket() => Open(Netlink.NETLINK_ROUTE);

    /// <summary>The index of a device in it; 0: no such device.</summary>
    /// <exception cref="SystemCallException">It could not be asked for.</exception>
    public uint DeviceIndex(string name)
    {
        using INetlinkSocket socket = OpenSocket();
        return socket.DeviceIndex(name);
    }

    /// <summary>The name of a device in it, empty where it is gone, or cannot be asked for: a line is not worth failing for.</summary>
    public byte[] DeviceName(uint index)
    {
        if (!_deviceNames.TryGetValue(index, out byte[]? name))
        {
            try
            {
                using INetlinkSocket socket = OpenSocket();
                name = socket.DeviceName(index);
            }
            catch (SystemCallException)
            {
                name = [];
            }

            _deviceNames[index] = name;
        }

        return name;
    }

    /// <summary>Closes it. The own one may be looked at again, and may have other devices by then.</summary>
    public void Dispose()
    {
        _deviceNames.Clear();
        if (_fd >= 0)
        {
            _ = Unistd.close(_fd);
        }

        GC.SuppressFinalize(this);
    }

    private NetlinkSocket Open(int protocol)
    {
        if (_fd >= 0 && Sched.setns(_fd, Sched.CLONE_NEWNET) != 0)
        {
            throw new SystemCallException(Operation.EnterNamespace, Marshal.GetLastPInvokeError());
        }

        return new NetlinkSocket(protocol);
    }
}
