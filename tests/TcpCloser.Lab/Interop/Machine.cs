namespace TcpCloser.Lab.Interop;

/// <summary>Prepares the Lab's environment: the loopback device of its network namespace and its own limit of open files.</summary>
internal static unsafe class Machine
{
    /// <summary>
    /// Brings lo up (netdevice(7)); in a new network namespace it is down. Needs CAP_NET_ADMIN there, unless it is up
    /// already.
    /// </summary>
    internal static void BringLoopbackUp()
    {
        int fd = Errno.Check(Libc.Socket(Posix.AF_INET, Posix.SOCK_DGRAM | Posix.SOCK_CLOEXEC, 0), "socket");
        byte* request = stackalloc byte[40]; // struct ifreq: the name, then a union whose flags are a short
        new Span<byte>(request, 40).Clear();
        "lo"u8.CopyTo(new Span<byte>(request, 16));
        Errno.Check(Libc.Ioctl(fd, Posix.SIOCGIFFLAGS, request), "ioctl SIOCGIFFLAGS lo");
        short* flags = (short*)(request + 16);
        if ((*flags & Posix.IFF_UP) == 0)
        {
            *flags |= Posix.IFF_UP;
            Errno.Check(Libc.Ioctl(fd, Posix.SIOCSIFFLAGS, request), "ioctl SIOCSIFFLAGS lo up");
        }
        _ = Libc.Close(fd);
    }

    /// <summary>
    /// Keeps ambient capabilities (capabilities(7)), which this process may have as a user other than root, from its children: the
    /// processes that hold sockets have to be those of an ordinary user.
    /// </summary>
    internal static void ClearAmbientCapabilities() => _ = Libc.Prctl(Posix.PR_CAP_AMBIENT, Posix.PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);

    /// <summary>Adds an IPv6 address to lo, so that more connections to one port are possible than one address has ports.</summary>
    internal static void AddLoopbackAddress(IPAddress address)
    {
        int fd = Errno.Check(Libc.Socket(Posix.AF_INET6, Posix.SOCK_DGRAM | Posix.SOCK_CLOEXEC, 0), "socket");
        byte* request = stackalloc byte[24]; // struct in6_ifreq: address 16, prefix length 4, interface index 4
        address.GetAddressBytes().CopyTo(new Span<byte>(request, 16));
        *(uint*)(request + 16) = 128;
        *(int*)(request + 20) = 1; // lo is the first device of every network namespace
        const int EEXIST = 17;
        LabException.ThrowIf(Libc.Ioctl(fd, Posix.SIOCSIFADDR, request) < 0 && Errno.Last != EEXIST,
            $"ioctl SIOCSIFADDR {address}: {Errno.Name(Errno.Last)}");
        _ = Libc.Close(fd);
    }

    /// <summary>Raises the soft limit of open files to the hard limit (setrlimit(2)) and returns it.</summary>
    internal static int RaiseOpenFiles()
    {
        ulong* limit = stackalloc ulong[2];
        Errno.Check(Libc.GetRLimit(Posix.RLIMIT_NOFILE, limit), "getrlimit");
        limit[0] = limit[1];
        Errno.Check(Libc.SetRLimit(Posix.RLIMIT_NOFILE, limit), "setrlimit");
        return (int)Math.Min(limit[0], int.MaxValue);
    }
}
