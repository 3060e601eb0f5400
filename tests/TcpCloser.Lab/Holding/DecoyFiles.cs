namespace TcpCloser.Lab.Holding;

/// <summary>A process with many open descriptors and none of the connections, which a search through /proc has to read.</summary>
internal static unsafe class DecoyFiles
{
    /// <summary>
    /// Opens the descriptors (pipes, files, Unix sockets, TCP sockets in turn), reports that, and waits until the Lab kills
    /// it.
    /// </summary>
    internal static int Run(int count)
    {
        Holder.DieWithParent();
        _ = Machine.RaiseOpenFiles();
        ulong terminate = 1UL << (Posix.SIGTERM - 1);
        Errno.Check(Libc.SigProcMask(Posix.SIG_UNBLOCK, &terminate, null), "sigprocmask");
        ControlChannel channel = new(ChildProcess.ControlDescriptor);
        int opened = 0;
        for (int turn = 0; opened < count; turn++)
        {
            int left = count - opened;
            opened += left < 3 ? OpenFile() : (turn % 4) switch
            {
                0 => OpenPipe(),
                1 => OpenFile(),
                2 => OpenUnixSockets(),
                _ => OpenTcpConnection(),
            };
        }
        while (channel.Receive() is not null)
        {
            if (!channel.Answer([$"open {opened}"]))
            {
                break;
            }
        }
        return 0;
    }

    private static int OpenPipe()
    {
        int* pair = stackalloc int[2];
        Errno.Check(Libc.Pipe2(pair, Posix.O_CLOEXEC), "pipe2");
        return 2;
    }

    private static int OpenFile()
    {
        Errno.Check(Libc.Open("/dev/null", Posix.O_RDONLY | Posix.O_CLOEXEC, 0), "open /dev/null");
        return 1;
    }

    private static int OpenUnixSockets()
    {
        int* pair = stackalloc int[2];
        Errno.Check(Libc.SocketPair(Posix.AF_UNIX, Posix.SOCK_STREAM | Posix.SOCK_CLOEXEC, 0, pair), "socketpair");
        return 2;
    }

    private static int OpenTcpConnection()
    {
        int listener = Errno.Check(Libc.Socket(Posix.AF_INET, Posix.SOCK_STREAM | Posix.SOCK_CLOEXEC, 0), "socket");
        var address = SockAddress.For(v6Socket: false, IPAddress.Loopback, 0);
        Errno.Check(Libc.Bind(listener, &address, address.Length), "bind");
        Errno.Check(Libc.Listen(listener, 1), "listen");
        address = Tcp.LocalAddress(listener);
        int client = Errno.Check(Libc.Socket(Posix.AF_INET, Posix.SOCK_STREAM | Posix.SOCK_CLOEXEC, 0), "socket");
        Errno.Check(Libc.Connect(client, &address, address.Length), "connect");
        Errno.Check(Libc.Accept4(listener, null, null, Posix.SOCK_CLOEXEC), "accept4");
        return 3;
    }
}
