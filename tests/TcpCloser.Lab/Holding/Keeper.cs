namespace TcpCloser.Lab.Holding;

/// <summary>A process that becomes a holder of any socket that is sent to it; the sender needs no privilege.</summary>
internal static unsafe class Keeper
{
    /// <summary>Listens, prints READY, and keeps all descriptors that arrive until the end of stdin.</summary>
    internal static int Run(string path)
    {
        int listener = Errno.Check(Libc.Socket(Posix.AF_UNIX, Posix.SOCK_SEQPACKET | Posix.SOCK_CLOEXEC, 0), "socket");
        var address = SockAddressUnix.For(path);
        Errno.Check(Libc.BindUnix(listener, &address, (uint)sizeof(SockAddressUnix)), $"bind {path}");
        Errno.Check(Libc.ChangeMode(path, 0x1b6), $"chmod {path}"); // 0666
        Errno.Check(Libc.Listen(listener, 1), "listen");
        LineWriter.Write(["READY"]);
        PollFd* entries = stackalloc PollFd[2];
        entries[0] = new PollFd { Fd = 0, Events = Posix.POLLIN };
        entries[1] = new PollFd { Fd = listener, Events = Posix.POLLIN };
        List<int> kept = [];
        while (true)
        {
            _ = Libc.Poll(entries, 2, -1);
            if (entries[0].Revents != 0)
            {
                return 0;
            }

            int sender = Errno.Check(Libc.Accept4(listener, null, null, Posix.SOCK_CLOEXEC), "accept4");
            ControlChannel channel = new(sender);
            _ = channel.Receive(kept);
            _ = channel.Answer([]);
            _ = Libc.Close(sender);
        }
    }

    /// <summary>Sends a descriptor to such a process; returns once that process has it.</summary>
    internal static void Give(int descriptor, string path)
    {
        int fd = Errno.Check(Libc.Socket(Posix.AF_UNIX, Posix.SOCK_SEQPACKET | Posix.SOCK_CLOEXEC, 0), "socket");
        var address = SockAddressUnix.For(path);
        Errno.Check(Libc.ConnectUnix(fd, &address, (uint)sizeof(SockAddressUnix)), $"connect to {path}");
        bool kept = new ControlChannel(fd).Ask("keep", [descriptor]) is not null;
        _ = Libc.Close(fd);
        LabException.ThrowIf(!kept, $"{path}: the descriptor was not taken");
    }
}
