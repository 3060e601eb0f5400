using TcpCloser.Interop;

namespace TcpCloser.Report;

/// <summary>
/// What an operation that failed is called, what its errno means there, what to do about it, and whether it means that what was
/// asked for is not possible here at all.
/// </summary>
internal static class Remedies
{
    private const string UseAnother = "; --method disconnect closes without it, --use-proc kills the processes that hold the connections";

    /// <summary><c>signalling process 12: EPERM (operation not permitted); CAP_KILL is missing, run as root</c>.</summary>
    public static string Describe(Operation operation, int errno, string? subject = null)
    {
        string remedy = Of(operation, errno).Text;
        return $"{NameOf(operation)}{(subject is null ? "" : " " + subject)}: {Errno.Describe(errno)}{(remedy.Length > 0 ? "; " : "")}{remedy}";
    }

    public static string Describe(SystemCallException e) => Describe(e.Operation, e.Errno, e.Subject);

    /// <summary>Whether the errno means that what was asked for is not possible here: no privilege, or the kernel lacks what is needed.</summary>
    public static bool IsNotPossible(Operation operation, int errno) => Of(operation, errno).IsNotPossible;

    private static string NameOf(Operation operation) => operation switch
    {
        Operation.OpenNetlink => "opening a NETLINK_SOCK_DIAG socket",
        Operation.EnterNamespace => "entering the network namespace",
        Operation.OpenNamespace => "opening the network namespace",
        Operation.ListNamespaces => "listing the network namespaces in",
        Operation.ListSockets => "listing TCP sockets by INET_DIAG",
        Operation.ListSocketsByMark => "filtering TCP sockets by mark",
        Operation.MatchMarkOrCgroup => "matching TCP sockets by mark or cgroup",
        Operation.FindDevice => "finding the device",
        Operation.FindCgroup => "finding the cgroup",
        Operation.LookUpSocket => "looking a TCP socket up by INET_DIAG",
        Operation.DestroySocket => "destroying by SOCK_DESTROY",
        Operation.OpenProc => "opening /proc, where the owners of sockets are found",
        Operation.UseProc => "using /proc",
        Operation.ListProcesses => "listing the processes in /proc",
        Operation.ReadProcess => "reading the name and status",
        Operation.ListDescriptors => "listing the descriptors",
        Operation.ReadDescriptor => "reading the descriptors",
        Operation.OpenProcess => "opening a pidfd",
        Operation.FetchSocket => "fetching a socket",
        Operation.DisconnectSocket => "disconnecting a socket",
        Operation.SetKeepalive => "setting the keepalive options of a socket",
        Operation.ListRoutes => "listing the local routes",
        Operation.SignalProcess => "signalling",
        Operation.OpenLog => "opening the log file",
        Operation.WriteLog => "writing the log",
        Operation.WriteOutput => "writing to stdout",
        Operation.WriteMetrics => "writing the metrics",
        Operation.WatchSignals => "opening a signalfd",
        Operation.StartTimer => "starting a timerfd",
    };

    /// <summary>The table. What it does not have says all there is to say by its name, and may be otherwise the next time.</summary>
    private static Remedy Of(Operation operation, int errno) => (operation, errno) switch
    {
        (_, Errno.EMFILE) => new("too few descriptors are allowed: raise ulimit -n"),
        (_, Errno.ENFILE) => new("the system has no descriptors left: raise fs.file-max"),
        (_, Errno.ENOMEM) => new("the system is short of memory: try again"),

        (Operation.OpenNetlink, Errno.EPROTONOSUPPORT or Errno.EAFNOSUPPORT) =>
            new("a seccomp filter, or a kernel without CONFIG_INET_DIAG, keeps sock_diag(7) away", isNotPossible: true),
        (Operation.OpenNetlink, Errno.EPERM or Errno.EACCES) =>
            new("a security module or a seccomp filter forbids it: allow AF_NETLINK", isNotPossible: true),

        (Operation.ListRoutes, Errno.EPROTONOSUPPORT or Errno.EAFNOSUPPORT or Errno.EPERM or Errno.EACCES) =>
            new("a seccomp filter or a security module keeps rtnetlink(7) away: allow AF_NETLINK", isNotPossible: true),
        (Operation.EnterNamespace, Errno.EPERM or Errno.EACCES) =>
            Missing(Capability.CAP_SYS_ADMIN, "CAP_SYS_ADMIN", "", "another user namespace owns it"),
        (Operation.OpenNamespace, Errno.EPERM or Errno.EACCES) =>
            Missing(Capability.CAP_SYS_PTRACE, "CAP_SYS_PTRACE", " (and CAP_SYS_ADMIN to enter it)", "a security module forbids it"),
        (Operation.OpenNamespace, Errno.EINVAL) => new("it is no network namespace; name one as ip-netns(8) does, by a path, or as pid:N"),
        (Operation.OpenNamespace, Errno.ENOENT) => new("there is none of that name: see ip netns list, or name a process in it as pid:N (of a container: docker inspect -f {{.State.Pid}} ID)"),
        (Operation.ListNamespaces, Errno.EPERM or Errno.EACCES) =>
            Missing(Capability.CAP_DAC_READ_SEARCH, "CAP_DAC_READ_SEARCH", "", "a security module forbids it"),

        (Operation.ListSockets, Errno.ENOENT or Errno.EOPNOTSUPP or Errno.EPROTONOSUPPORT) =>
            new("this kernel has no tcp_diag: load it with 'modprobe tcp_diag', or use one with CONFIG_INET_DIAG", isNotPossible: true),
        (Operation.ListSockets, Errno.EPERM or Errno.EACCES) => new("a security module or a seccomp filter forbids it", isNotPossible: true),
        (Operation.ListSocketsByMark, Errno.EPERM) => Missing(Capability.CAP_NET_ADMIN, "CAP_NET_ADMIN", ", and marks are hidden without it",
            "the user namespace that owns the network namespace has to grant it"),
        (Operation.MatchMarkOrCgroup, _) => new("this kernel neither filters by mark or cgroup nor tells those of its sockets, so none of them " +
            "matches; --cgroup needs Linux 5.9", isNotPossible: true),

        (Operation.DestroySocket, Errno.EPERM) => Missing(Capability.CAP_NET_ADMIN, "CAP_NET_ADMIN", "",
            "the user namespace that owns the network namespace has to grant it",
            ", or give the file it with setcap cap_net_admin+ep: then every user who can run it closes root's connections"),
        (Operation.DestroySocket, Errno.EOPNOTSUPP or Errno.EINVAL) =>
            new("this kernel has no SOCK_DESTROY (CONFIG_INET_DIAG_DESTROY, Linux 4.5)" + UseAnother, isNotPossible: true),
        (Operation.DestroySocket, Errno.ENOENT) => new("the kernel does not find it"),

        (Operation.OpenProc, Errno.ENOENT or Errno.ENOTDIR) => new("mount it: mount -t proc proc /proc", isNotPossible: true),
        (Operation.OpenProc, Errno.EPERM or Errno.EACCES) => new("run as root", isNotPossible: true),
        (Operation.UseProc, Errno.ESRCH) => new("it is not a procfs of this pid namespace, so its process ids would mean other processes: " +
            "mount -t proc proc /proc", isNotPossible: true),
        (Operation.ListDescriptors or Operation.ReadProcess, Errno.EPERM or Errno.EACCES) =>
            Missing(Capability.CAP_DAC_READ_SEARCH, "CAP_DAC_READ_SEARCH", " (and CAP_SYS_PTRACE)", "a security module forbids it"),
        (Operation.ReadDescriptor, Errno.EPERM or Errno.EACCES) => Ptrace,
        (Operation.FetchSocket, Errno.EPERM or Errno.EACCES) => Ptrace,
        (Operation.OpenProcess or Operation.FetchSocket, Errno.ENOSYS) => new("this kernel, or a seccomp filter, cannot fetch a socket from its " +
            "owner (pidfd_getfd, Linux 5.6); --use-proc kills the processes that hold the connections", isNotPossible: true),
        (Operation.OpenProcess, Errno.EPERM) => new("a seccomp filter forbids it", isNotPossible: true),
        (Operation.DisconnectSocket, Errno.EBUSY) => new("this kernel (about 6.4 to 6.6) does not disconnect a socket that a thread waits on; " +
            "try again, or --use-proc kills the processes that hold the connections"),
        (Operation.SignalProcess, Errno.EPERM) => Missing(Capability.CAP_KILL, "CAP_KILL", "", "a security module forbids it"),

        (Operation.OpenLog or Operation.WriteLog or Operation.WriteOutput or Operation.WriteMetrics, Errno.ENOSPC or Errno.EDQUOT) => new("make room there"),
        (Operation.OpenLog, Errno.EACCES or Errno.EPERM or Errno.EROFS) => new("give -f a path that this user may append to"),
        (Operation.OpenLog, Errno.ENOENT or Errno.ENOTDIR) => new("create its folder first, or give -f another path"),
        (Operation.OpenLog, Errno.EISDIR) => new("give -f a file, not a folder"),
        (Operation.OpenLog, Errno.ENXIO) => new("start the FIFO's reader first"),
        (Operation.OpenLog, _) => new("give -f a regular file, a FIFO or a character device that can be appended to"),
        (Operation.WriteMetrics, Errno.EACCES or Errno.EPERM or Errno.EROFS) => new("give --metrics a path in a folder that this user may write to"),
        (Operation.WriteMetrics, Errno.ENOENT or Errno.ENOTDIR) => new("create its folder first, or give --metrics another path"),
        (Operation.WriteMetrics, Errno.EINVAL) => new("give --metrics a regular file, or a path at which there is nothing yet"),
        _ => new(""),
    };

    private static Remedy Ptrace => Missing(Capability.CAP_SYS_PTRACE, "CAP_SYS_PTRACE", "",
        "that process has capabilities that this one lacks, or a security module forbids it");

    /// <summary>
    /// A capability is missing; or it is there and does not help, and then it is no use to be root. Nor is it where root itself does
    /// not have it.
    /// </summary>
    private static Remedy Missing(int capability, string name, string more, string elsewhere, string also = "") =>
        new(Capability.IsEffective(capability) ? elsewhere
            : Unistd.geteuid() == 0 ? $"{name} is missing{more}: root does not have it here, so the container or unit has to grant it"
            : $"{name} is missing{more}; run as root{also}", isNotPossible: true);

    /// <param name="text">What to do.</param>
    /// <param name="isNotPossible">Whether what was asked for is not possible here.</param>
    private readonly struct Remedy(string text, bool isNotPossible = false)
    {
        public string Text { get; } = text;

        public bool IsNotPossible { get; } = isNotPossible;
    }
}
