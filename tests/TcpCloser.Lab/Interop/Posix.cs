namespace TcpCloser.Lab.Interop;

/// <summary>Constants from the headers of the C library and the kernel (the same on x86_64 and arm64), under their C names.</summary>
internal static class Posix
{
    // <sys/socket.h>, <netinet/in.h>, <netinet/tcp.h>
    internal const int AF_UNIX = 1;
    internal const int AF_INET = 2;
    internal const int AF_INET6 = 10;
    internal const int AF_NETLINK = 16;
    internal const int SOCK_STREAM = 1;
    internal const int SOCK_DGRAM = 2;
    internal const int SOCK_SEQPACKET = 5;
    internal const int SOCK_NONBLOCK = 0x800;
    internal const int SOCK_CLOEXEC = 0x80000;
    internal const int IPPROTO_TCP = 6;
    internal const int IPPROTO_MPTCP = 262;
    internal const int SOL_IP = 0;
    internal const int SOL_SOCKET = 1;
    internal const int SOL_TCP = 6;
    internal const int SOL_IPV6 = 41;
    internal const int SO_REUSEADDR = 2;
    internal const int SO_ERROR = 4;
    internal const int SO_SNDBUF = 7;
    internal const int SO_RCVBUF = 8;
    internal const int SO_KEEPALIVE = 9;
    internal const int SO_PRIORITY = 12;
    internal const int SO_LINGER = 13;
    internal const int SO_REUSEPORT = 15;
    internal const int SO_RCVLOWAT = 18;
    internal const int SO_RCVTIMEO = 20;
    internal const int SO_SNDTIMEO = 21;
    internal const int SO_BINDTODEVICE = 25;
    internal const int SO_ATTACH_FILTER = 26;
    internal const int SO_DETACH_FILTER = 27;
    internal const int SO_MARK = 36;
    internal const int IP_BIND_ADDRESS_NO_PORT = 24;
    internal const int IPV6_V6ONLY = 26;
    internal const int TCP_NODELAY = 1;
    internal const int TCP_MAXSEG = 2;
    internal const int TCP_CORK = 3;
    internal const int TCP_KEEPIDLE = 4;
    internal const int TCP_KEEPINTVL = 5;
    internal const int TCP_KEEPCNT = 6;
    internal const int TCP_SYNCNT = 7;
    internal const int TCP_LINGER2 = 8;
    internal const int TCP_DEFER_ACCEPT = 9;
    internal const int TCP_WINDOW_CLAMP = 10;
    internal const int TCP_INFO = 11;
    internal const int TCP_CONGESTION = 13;
    internal const int TCP_USER_TIMEOUT = 18;
    internal const int TCP_REPAIR = 19;
    internal const int TCP_FASTOPEN = 23;
    internal const int TCP_NOTSENT_LOWAT = 25;
    internal const int TCP_INQ = 36;
    internal const int SCM_RIGHTS = 1;
    internal const int MSG_PEEK = 2;
    internal const int MSG_DONTWAIT = 0x40;
    internal const int MSG_NOSIGNAL = 0x4000;
    internal const int MSG_CMSG_CLOEXEC = 0x40000000;
    internal const int SHUT_WR = 1;
    internal const int SHUT_RDWR = 2;

    // <poll.h>, <sys/epoll.h>
    internal const short POLLIN = 1;
    internal const short POLLOUT = 4;
    internal const short POLLERR = 8;
    internal const short POLLHUP = 0x10;
    internal const short POLLRDHUP = 0x2000;
    internal const int EPOLL_CTL_ADD = 1;

    // <fcntl.h>, <sys/ioctl.h>, <linux/sockios.h>
    internal const int O_RDONLY = 0;
    internal const int O_RDWR = 2;
    internal const int O_CREAT = 0x40;
    internal const int O_CLOEXEC = 0x80000;
    internal const int O_NONBLOCK = 0x800;
    internal const int F_GETFL = 3;
    internal const int F_SETFL = 4;
    internal const int FIONREAD = 0x541B;
    internal const int SIOCGIFFLAGS = 0x8913;
    internal const int SIOCSIFFLAGS = 0x8914;
    internal const int SIOCSIFADDR = 0x8916;
    internal const short IFF_UP = 1;

    // <linux/if_tun.h>, <sched.h>, <time.h>
    internal const nuint TUNSETIFF = 0x400454CA;
    internal const short IFF_TUN = 1;
    internal const short IFF_NO_PI = 0x1000;
    internal const int CLONE_FILES = 0x400;
    internal const int CLONE_NEWNET = 0x40000000;
    internal const int CLOCK_MONOTONIC = 1;
    internal const int CLOCK_MONOTONIC_COARSE = 6;

    // <asm/unistd.h>, <linux/io_uring.h>
    internal const int SYS_io_uring_setup = 425;
    internal const int SYS_io_uring_register = 427;
    internal const int IORING_REGISTER_FILES = 2;

    // <sys/resource.h>, <sys/prctl.h>, <signal.h>, <sys/wait.h>
    internal const int RLIMIT_NOFILE = 7;
    internal const int PR_SET_PDEATHSIG = 1;
    internal const int PR_SET_NAME = 15;
    internal const int PR_SET_SECCOMP = 22;
    internal const int PR_SET_NO_NEW_PRIVS = 38;
    internal const int PR_CAP_AMBIENT = 47;
    internal const int PR_CAP_AMBIENT_CLEAR_ALL = 4;
    internal const int SECCOMP_MODE_FILTER = 2;
    /// <summary>TASK_COMM_LEN without the NUL.</summary>
    internal const int MaxProcessName = 15;
    internal const int SIGKILL = 9;
    internal const int SIGTERM = 15;
    internal const int SIG_BLOCK = 0;
    internal const int SIG_UNBLOCK = 1;
    internal const int SIG_SETMASK = 2;
    internal const int SIG_IGN = 1;
    internal const int WNOHANG = 1;

    /// <summary>exit(2), which ends one thread (asm/unistd.h).</summary>
    internal static nint SYS_exit => RuntimeInformation.ProcessArchitecture == Architecture.Arm64 ? 93 : 60;
}
