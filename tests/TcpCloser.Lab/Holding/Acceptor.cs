namespace TcpCloser.Lab.Holding;

/// <summary>Accepts one pending connection and reports the results of accept() and the first read.</summary>
internal static unsafe class Acceptor
{
    /// <summary>One line: <c>accept=EINVAL</c>, or <c>accept=ok client=ADDR:PORT read=ECONNABORTED</c>. The socket is kept open.</summary>
    internal static string[] Accept(int listener)
    {
        SockAddress peer = default;
        uint length = (uint)sizeof(SockAddress);
        int fd = Libc.Accept4(listener, &peer, &length, Posix.SOCK_CLOEXEC | Posix.SOCK_NONBLOCK);
        if (fd < 0)
        {
            return [$"accept={Errno.Name(Errno.Last)}"];
        }

        byte one;
        nint received = Libc.Receive(fd, &one, 1, Posix.MSG_PEEK | Posix.MSG_DONTWAIT);
        // The kernel reports no address for a connection that was aborted while it waited.
        string client = length > 2 ? peer.ToEndpoint().ToString() : "unknown";
        return [$"accept=ok client={client} read={(received < 0 ? Errno.Name(Errno.Last) : received)} tcp={Tcp.StateName(Tcp.State(fd))}"];
    }
}
