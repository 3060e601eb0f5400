using System.Runtime.InteropServices;
using TcpCloser.Interop;
using TcpCloser.Proc;
using TcpCloser.Rules;

namespace TcpCloser.Diag;

/// <summary>
/// A network namespace to inspect. setns(2) moves only the calling thread, and a socket stays where it was opened, so one process
/// serves many namespaces. The thread returns after each visit: while it is away, /proc/self refers to the visited namespace, which
/// the thread keeps alive even if it is deleted.
/// </summary>
internal class NetworkNamespace : IDisposable
{
    private readonly NetworkNamespace? _own;
    private readonly bool _isOwn;
    private readonly Dictionary<uint, byte[]> _deviceNames = [];
    private readonly int _pid;
    private OpenedFile? _file;
    private CgroupName? _resident;

    /// <summary>For the program's own namespace: whether the thread is allowed to return to it; null: not tried yet.</summary>
    private bool? _mayReturn;

    /// <summary>For the program's own namespace: whether the thread has left it and has not returned.</summary>
    private bool _isAway;

    /// <summary>The program's own namespace.</summary>
    /// <param name="name">Its name in log lines and records; null: none, because no other namespace is inspected.</param>
    public NetworkNamespace(byte[]? name = null) => Name = name;

    /// <param name="file">The namespace, which <see cref="Dispose"/> closes.</param>
    /// <param name="own">The program's own namespace, to return to.</param>
    public NetworkNamespace(NamespaceFile file, NetworkNamespace own)
    {
        Name = file.Name;
        _file = new OpenedFile(0, file.Descriptor);
        (_own, _isOwn, _pid) = (own, file.IsOwn, file.Pid);
    }

    /// <summary>
    /// Its file. The file of the program's own namespace is opened before another one is entered for the first time, and not at all if
    /// there is no other. If opening it fails, for example without /proc, sockets can still be opened in the namespace, but a thread
    /// that leaves it cannot return.
    /// </summary>
    public OpenedFile File => _file ??= OpenedFile.Open("/proc/thread-self/ns/net\0"u8);

    /// <summary>Its name, which may be any bytes except a slash: its creator chose them.</summary>
    public byte[]? Name { get; }

    /// <summary>A number that identifies it while it exists; 0: the program's own, without a name.</summary>
    public virtual ulong Id => _own is null ? 0 : Stat.Inode(File.Descriptor);

    /// <summary>The namespace as messages name it; null: it has no name.</summary>
    public string? Description => Name is null ? null : "in netns " + Escape.Text(Name);

    /// <summary>
    /// Its name for people: <c>default/web-0[pid:812]</c> if a pod or a container lives in it; null: it has no name.
    /// </summary>
    public byte[]? Label(CgroupNames cgroups) =>
        Name is null || Resident(cgroups) is not { IsKnown: true } resident ? Name : [.. resident.Shown, (byte)'[', .. Name, (byte)']'];

    /// <summary>
    /// The pod or container that lives in it, by a process that was found there; unknown in the program's own namespace, and if the
    /// process has left meanwhile.
    /// </summary>
    public CgroupName Resident(CgroupNames cgroups)
    {
        if (_resident is null)
        {
            CgroupName name = _pid == 0 || _isOwn ? CgroupName.Unknown : cgroups.ContainerOfProcess(_pid);
            _resident = name.IsKnown && NamespaceFinder.IsIn(_pid, File) ? name : CgroupName.Unknown;
        }

        return _resident;
    }

    /// <summary>Opens a NETLINK_SOCK_DIAG socket in it (sock_diag(7)).</summary>
    /// <exception cref="SystemCallException">The namespace may not be entered, or the kernel has no such protocol.</exception>
    public virtual INetlinkSocket OpenSocket() => Open(Netlink.NETLINK_SOCK_DIAG);

    /// <summary>Opens a NETLINK_ROUTE socket in it (rtnetlink(7)).</summary>
    /// <exception cref="SystemCallException">The namespace may not be entered, or the kernel has no such protocol.</exception>
    public virtual INetlinkSocket OpenRouteSocket() => Open(Netlink.NETLINK_ROUTE);

    /// <summary>The index of a device in it; 0: no such device.</summary>
    /// <exception cref="SystemCallException">The index could not be queried.</exception>
    public uint DeviceIndex(string name)
    {
        using INetlinkSocket socket = OpenSocket();
        return socket.DeviceIndex(name);
    }

    /// <summary>
    /// The name of a device in it; empty if the device is gone or cannot be queried: a missing name must not fail the run.
    /// </summary>
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

    /// <summary>Ends a round. The program's own namespace stays open for the next one, in which it may have other devices.</summary>
    public void Dispose()
    {
        _deviceNames.Clear();
        if (_own is not null)
        {
            _ = Unistd.close(File.Descriptor);
        }

        GC.SuppressFinalize(this);
    }

    private NetlinkSocket Open(int protocol)
    {
        if (_own is null)
        {
            Return();
            return new NetlinkSocket(protocol);
        }

        // Inspecting the program's own namespace needs no privilege, whatever name it was given.
        return _isOwn ? _own.Open(protocol)
            : _own.MayReturn() ? Visit(_own, protocol)
            : VisitByThread(protocol);
    }

    private NetlinkSocket Visit(NetworkNamespace own, int protocol)
    {
        Enter(Operation.EnterNamespace);
        own._isAway = true;
        NetlinkSocket? socket = null;
        try
        {
            socket = new NetlinkSocket(protocol);
            own.Return();
            return socket;
        }
        catch (SystemCallException)
        {
            socket?.Dispose();
            own.Return();
            throw;
        }
    }

    /// <summary>
    /// If the thread could not return, a separate thread enters the namespace and ends there. This happens without /proc, and in a user
    /// namespace whose processes are in their parent's network namespace (nsenter -U, podman unshare).
    /// </summary>
    private NetlinkSocket VisitByThread(int protocol)
    {
        NetlinkSocket? socket = null;
        SystemCallException? failure = null;
        var visitor = new Thread(() =>
        {
            try
            {
                Enter(Operation.EnterNamespace);
                socket = new NetlinkSocket(protocol);
            }
            catch (SystemCallException e)
            {
                failure = e;
            }
        });
        visitor.Start();
        visitor.Join();
        return socket ?? throw failure!;
    }

    /// <summary>Entering the current namespace again needs the same privilege as returning to it.</summary>
    private bool MayReturn() => _mayReturn ??= Sched.setns(File.Descriptor, Sched.CLONE_NEWNET) == 0;

    /// <exception cref="SystemCallException">The thread stays in the other namespace, so nothing in this one can be inspected.</exception>
    private void Return()
    {
        if (_isAway)
        {
            Enter(Operation.ReturnToNamespace);
            _isAway = false;
        }
    }

    private void Enter(Operation operation)
    {
        if (Sched.setns(File.Descriptor, Sched.CLONE_NEWNET) != 0)
        {
            throw new SystemCallException(new Failure(operation, Marshal.GetLastPInvokeError()));
        }
    }
}
