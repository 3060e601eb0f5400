namespace TcpCloser.Lab.Paths;

/// <summary>A network device whose packets this process reads and writes (Documentation/networking/tuntap.rst of Linux).</summary>
internal static unsafe class TunDevice
{
    /// <summary>Creates a device in the network namespace of this thread. It is deleted when its descriptor is closed.</summary>
    internal static int Open(string name)
    {
        int fd = Errno.Check(Libc.Open("/dev/net/tun", Posix.O_RDWR | Posix.O_CLOEXEC | Posix.O_NONBLOCK, 0), "open /dev/net/tun");
        byte* request = stackalloc byte[40]; // struct ifreq: the name, then a union whose flags are a short
        new Span<byte>(request, 40).Clear();
        Encoding.ASCII.GetBytes(name).CopyTo(new Span<byte>(request, 15));
        *(short*)(request + 16) = Posix.IFF_TUN | Posix.IFF_NO_PI;
        Errno.Check(Libc.Ioctl(fd, Posix.TUNSETIFF, request), "ioctl TUNSETIFF");
        return fd;
    }

    /// <summary>Moves this thread into the network namespace of a process (setns(2)).</summary>
    internal static void Enter(int pid)
    {
        int fd = Errno.Check(Libc.Open($"/proc/{pid}/ns/net", Posix.O_RDONLY | Posix.O_CLOEXEC, 0), "open the network namespace");
        Errno.Check(Libc.SetNamespace(fd, Posix.CLONE_NEWNET), "setns");
        _ = Libc.Close(fd);
    }
}
