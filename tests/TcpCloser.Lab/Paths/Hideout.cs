namespace TcpCloser.Lab.Paths;

/// <summary>Places in which a socket stays open although no descriptor table shows it. Each lasts as long as this process.</summary>
internal static unsafe class Hideout
{
    private const int RingEntries = 1;
    private const int RingParametersSize = 120; // struct io_uring_params

    /// <summary>In a message that no process receives (unix(7), SCM_RIGHTS).</summary>
    internal static void Post(ShellSocket socket)
    {
        int* pair = stackalloc int[2];
        Errno.Check(Libc.SocketPair(Posix.AF_UNIX, Posix.SOCK_SEQPACKET | Posix.SOCK_CLOEXEC, 0, pair), "socketpair");
        LabException.ThrowIf(!DescriptorSender.Send(pair[0], "x"u8, [socket.Fd]), "sendmsg: the other end is closed");
        socket.Close();
    }

    /// <summary>In the file table of an io_uring (io_uring_register(2)).</summary>
    internal static void Register(ShellSocket socket)
    {
        byte* parameters = stackalloc byte[RingParametersSize];
        new Span<byte>(parameters, RingParametersSize).Clear();
        int ring = Errno.Check(Libc.SystemCall(Posix.SYS_io_uring_setup, RingEntries, (nint)parameters, null, 0), "io_uring_setup");
        int fd = socket.Fd;
        _ = Errno.Check(Libc.SystemCall(Posix.SYS_io_uring_register, ring, Posix.IORING_REGISTER_FILES, &fd, 1), "io_uring_register");
        socket.Close();
    }
}
