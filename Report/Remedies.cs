using TcpCloser.Interop;
using TcpCloser.Kill;
using TcpCloser.Proc;
using TcpCloser.Rules;

namespace TcpCloser.Report;

/// <summary>
/// Describes a failed operation: its name, the meaning of the errno for it, the remedy, and whether the request is impossible on this
/// machine.
/// </summary>
internal static class Remedies
{
    private const string UseAnother = "; --method disconnect closes without it, --use-proc kills the processes that hold the connections";

    /// <summary><c>signalling process 12: EPERM (operation not permitted); CAP_KILL is missing, run as root</c>.</summary>
    public static string Describe(Failure failure)
    {
        string remedy = Of(failure).Text;
        string subject = failure.Subject is null ? "" : " " + failure.Subject;
        return $"{NameOf(failure.Operation)}{subject}: {Errno.Describe(failure.Errno)}{(remedy.Length > 0 ? "; " : "")}{remedy}";
    }

    /// <summary>Whether the request is impossible here: a privilege or a kernel feature is missing.</summary>
    public static bool IsNotPossible(Failure failure) => Of(failure).IsNotPossible;

    private static string NameOf(Operation operation) => operation switch
    {
        Operation.OpenNetlink => "opening a NETLINK_SOCK_DIAG socket",
        Operation.EnterNamespace => "entering the network namespace",
        Operation.ReturnToNamespace => "returning to the original network namespace",
        Operation.OpenNamespace => "opening the network namespace",
        Operation.ListNamespaces => "listing the network namespaces in",
        Operation.ListSockets => "listing TCP sockets by INET_DIAG",
        Operation.ListSocketsByMark => "filtering TCP sockets by mark",
        Operation.MatchMarkOrCgroup => "matching TCP sockets by mark or cgroup",
        Operation.FindDevice => "finding the device",
        Operation.FindCgroup => "finding the cgroup",
        Operation.ListCgroups => "listing the cgroups",
        Operation.ListPods => "listing the pods in",
        Operation.MatchNotCgroup => "finding, for --not-cgroup, the cgroups of",
        Operation.GroupByCgroup => "finding, for --keep, the cgroups of",
        Operation.ReadConnections => "reading the connections of --only from",
        Operation.LookUpSocket => "looking up a TCP socket by INET_DIAG",
        Operation.DestroySocket => "destroying by SOCK_DESTROY",
        Operation.OpenProc => "opening /proc, which lists the processes that hold sockets",
        Operation.UseProc => "using /proc",
        Operation.ListProcesses => "listing the processes in /proc",
        Operation.SeeProcesses => "seeing other users' processes in /proc",
        Operation.FindHolders => "finding the processes that hold the sockets",
        Operation.ReadProcess => "reading the name and status",
        Operation.ListDescriptors => "listing the descriptors",
        Operation.ReadDescriptor => "reading the descriptors",
        Operation.OpenProcess => "opening a pidfd",
        Operation.FetchSocket => "fetching a socket",
        Operation.DisconnectSocket => "disconnecting a socket",
        Operation.ProbePeer => "probing a peer through its socket (TCP_REPAIR)",
        Operation.SetKeepalive => "setting the keepalive options of a socket",
        Operation.ListRoutes => "listing the local routes",
        Operation.SignalProcess => "signalling",
        Operation.OpenLog => "opening the log file",
        Operation.WriteLog => "writing the log",
        Operation.WriteOutput => "writing to stdout",
        Operation.WriteMetrics => "writing the metrics",
        Operation.ReadMetrics => "reading the metrics of the service",
        Operation.WatchSignals => "opening a signalfd",
        Operation.StartTimer => "starting a timerfd",
    };

    /// <summary>The table. No entry: the errno speaks for itself, and the next try may succeed.</summary>
    private static Remedy Of(Failure failure) => (failure.Operation, failure.Errno) switch
    {
        (_, Errno.EMFILE) => new("the limit of open descriptors is too low: raise ulimit -n"),
        (_, Errno.ENFILE) => new("the system has no descriptors left: raise fs.file-max"),
        (_, Errno.ENOMEM) => new("the system is short of memory: try again"),

        (Operation.OpenNetlink, Errno.EPROTONOSUPPORT or Errno.EAFNOSUPPORT) =>
            new("a seccomp filter blocks sock_diag(7), or the kernel lacks CONFIG_INET_DIAG", isNotPossible: true),
        (Operation.OpenNetlink, Errno.EPERM or Errno.EACCES) =>
            new("a security module or a seccomp filter forbids it: allow AF_NETLINK", isNotPossible: true),

        (Operation.ListRoutes, Errno.EPROTONOSUPPORT or Errno.EAFNOSUPPORT or Errno.EPERM or Errno.EACCES) =>
            new("a seccomp filter or a security module blocks rtnetlink(7): allow AF_NETLINK", isNotPossible: true),
        (Operation.EnterNamespace, Errno.EPERM or Errno.EACCES) =>
            Missing(Capability.CAP_SYS_ADMIN, "CAP_SYS_ADMIN", "", "another user namespace owns it", Rootless),
        (Operation.OpenNamespace, Errno.EPERM or Errno.EACCES) =>
            Missing(Capability.CAP_SYS_PTRACE, "CAP_SYS_PTRACE", " (and CAP_SYS_ADMIN to enter it)",
                OfAnotherProcess, Rootless),
        (Operation.OpenNamespace, Errno.EINVAL) => new("it is not a network namespace; give a name as ip-netns(8) does, a path, or pid:N; " + InContainer),
        (Operation.OpenNamespace, Errno.ENOENT) => new("there is no such namespace: see ip netns list, or give a process in it as pid:N (for a container: docker inspect -f {{.State.Pid}} ID)"),
        (Operation.ListNamespaces, Errno.ENOENT) => new("no network namespace has a name here; give a process in it as pid:N; " + InContainer),
        (Operation.FindCgroup, Errno.EINVAL) => new(CgroupPattern.Wanted),
        (Operation.ListCgroups, Errno.ENOENT or Errno.ENOTDIR) => new("no cgroup2 file system is mounted here: mount -t cgroup2 none /sys/fs/cgroup (where " +
            "cgroup v1 is used, /sys/fs/cgroup/unified); the kernel reports no cgroup v1 of a socket", isNotPossible: true),
        (Operation.ListCgroups, Errno.EXDEV) => new("another file system is mounted on this cgroup, so the cgroups below it are not visible"),
        (Operation.MatchNotCgroup or Operation.GroupByCgroup, _) => new("a cgroup may have been created or removed during the round, may not be visible here (a private cgroup " +
            "namespace), or is not reported (before Linux 5.9; in time-wait and syn-recv); these sockets are skipped"),
        (Operation.ReadConnections, Errno.EINVAL) => new("nothing was closed; a dry run with the same file (-n, without -i) says what is wrong"),
        (Operation.ListNamespaces or Operation.ListCgroups or Operation.ListPods, Errno.EPERM or Errno.EACCES) =>
            Missing(Capability.CAP_DAC_READ_SEARCH, "CAP_DAC_READ_SEARCH", "", Forbidden),

        (Operation.ListSockets, Errno.ENOENT or Errno.EOPNOTSUPP or Errno.EPROTONOSUPPORT) =>
            new("this kernel has no tcp_diag: load it with 'modprobe tcp_diag', or use a kernel with CONFIG_INET_DIAG", isNotPossible: true),
        (Operation.ListSockets, Errno.EPERM or Errno.EACCES) => new("a security module or a seccomp filter forbids it", isNotPossible: true),
        (Operation.ListSocketsByMark, Errno.EPERM) => Missing(Capability.CAP_NET_ADMIN, "CAP_NET_ADMIN", ", and marks are hidden without it",
            "the user namespace that owns the network namespace has to grant it"),
        (Operation.MatchMarkOrCgroup, _) => new("this kernel can neither filter by mark or cgroup nor report those of a socket, so no " +
            "connection matches; --cgroup needs Linux 5.9", isNotPossible: true),

        (Operation.DestroySocket, Errno.EPERM) => Missing(Capability.CAP_NET_ADMIN, "CAP_NET_ADMIN", "",
            "the user namespace that owns the network namespace has to grant it",
            ", or grant it to the file with setcap cap_net_admin+ep: then every user who can run the file can close root's connections"),
        (Operation.DestroySocket, Errno.EOPNOTSUPP or Errno.EINVAL) =>
            new("this kernel has no SOCK_DESTROY (CONFIG_INET_DIAG_DESTROY, Linux 4.5)" + UseAnother, isNotPossible: true),
        (Operation.DestroySocket, Errno.ENOENT) => new("the kernel did not find the socket"),

        (Operation.OpenProc, Errno.ENOENT or Errno.ENOTDIR) => new("mount it: mount -t proc proc /proc", isNotPossible: true),
        (Operation.OpenProc, Errno.EPERM or Errno.EACCES) => new("run as root", isNotPossible: true),
        (Operation.UseProc, Errno.ESRCH) => new("it is not a procfs of this pid namespace, so its process ids belong to other processes: " +
            "mount -t proc proc /proc", isNotPossible: true),
        (Operation.SeeProcesses, Errno.ENOENT) => Missing(Capability.CAP_SYS_PTRACE, "CAP_SYS_PTRACE", ", and this /proc hides them without it (hidepid=, " +
            "ProtectProc=)", "this /proc hides them (hidepid=, ProtectProc=): mount one that does not"),
        (Operation.FindHolders, Errno.ESRCH) => new("they are in a different pid namespace than this process: run it in theirs, or in the host's (docker run " +
            "--pid=host; Kubernetes: hostPID: true); --method destroy needs no process", isNotPossible: true),
        (Operation.ListDescriptors or Operation.ReadProcess, Errno.EPERM or Errno.EACCES) =>
            Missing(Capability.CAP_DAC_READ_SEARCH, "CAP_DAC_READ_SEARCH", " (and CAP_SYS_PTRACE)", OfAnotherProcess),
        (Operation.ReadDescriptor, Errno.EPERM or Errno.EACCES) => Ptrace,
        (Operation.FetchSocket, Errno.EPERM or Errno.EACCES) => Ptrace,
        (Operation.OpenProcess or Operation.FetchSocket, Errno.ENOSYS) => new("this kernel, or a seccomp filter, does not allow fetching a socket from its " +
            "holder (pidfd_getfd, Linux 5.6); --use-proc kills the processes that hold the connections", isNotPossible: true),
        (Operation.ProbePeer, Errno.EPERM) => Missing(Capability.CAP_NET_ADMIN, "CAP_NET_ADMIN", "",
            "the user namespace that owns the network namespace has to grant it"),
        (Operation.ProbePeer, Errno.ENOPROTOOPT or Errno.EOPNOTSUPP or Errno.ENOSYS or Errno.EACCES) =>
            new("this kernel, or a security module, does not allow it; --no-ack-for needs no probe", isNotPossible: true),
        (Operation.OpenProcess, Errno.EINVAL) => new("a thread with a descriptor table of its own holds the socket, and this kernel " +
            "cannot fetch it from there (PIDFD_THREAD, Linux 6.9); --use-proc kills the processes that hold the connections", isNotPossible: true),
        (Operation.OpenProcess, Errno.EPERM) => new("a seccomp filter forbids it", isNotPossible: true),
        (Operation.DisconnectSocket, Errno.EBUSY) => new("this kernel (about 6.4 to 6.6) does not disconnect a socket while a thread waits on it; " +
            "try again, or --use-proc kills the processes that hold the connections"),
        (Operation.SignalProcess, Errno.EPERM or Errno.EACCES) => Missing(Capability.CAP_KILL, "CAP_KILL", "", Forbidden),

        (Operation.OpenLog or Operation.WriteLog or Operation.WriteOutput or Operation.WriteMetrics, Errno.ENOSPC or Errno.EDQUOT) => new("free some space there"),
        (Operation.OpenLog, Errno.EACCES or Errno.EPERM or Errno.EROFS) => new("give -f a path that this user may append to"),
        (Operation.OpenLog, Errno.ENOENT or Errno.ENOTDIR) => new("create its directory first, or give -f another path"),
        (Operation.OpenLog, Errno.EISDIR) => new("give -f a file, not a directory"),
        (Operation.OpenLog, Errno.ENXIO) => new("start the FIFO's reader first"),
        (Operation.OpenLog, _) => new("give -f a regular file, a FIFO or a character device that can be appended to"),
        (Operation.WriteMetrics, Errno.EACCES or Errno.EPERM or Errno.EROFS) => new("give --metrics a path in a directory that this user may write to"),
        (Operation.WriteMetrics, Errno.ENOENT or Errno.ENOTDIR) => new("create its directory first, or give --metrics another path"),
        (Operation.ReadMetrics, Errno.ENOENT) => new("no service with this --metrics is running, or its first round is not complete yet"),
        (Operation.WriteMetrics, Errno.EEXIST) => new("they are first written to a file with .new appended to the path: remove it, and give each run its own file"),
        (Operation.WriteMetrics, Errno.EINVAL) => new("give --metrics a regular file, or a path that does not exist yet"),
        _ => new(""),
    };

    private const string Rootless = "; for your own rootless containers, run it in their user namespace: " +
        "'podman unshare tcp-closer ...' or 'nsenter -t PID -U --preserve-credentials tcp-closer ...'";

    private const string InContainer = "in a container, mount the host's names: docker run -v /run/netns:/run/netns:rslave; " +
        "Kubernetes: hostPath /run/netns with mountPropagation: HostToContainer";

    /// <summary>What forbids something to a process that has the capability for it.</summary>
    private static string Forbidden => AppArmor.Profile is { } profile
        ? $"AppArmor's profile {profile} forbids it: docker run --security-opt apparmor=unconfined; Kubernetes: securityContext.appArmorProfile.type: " +
            "Unconfined (before 1.30 the annotation container.apparmor.security.beta.kubernetes.io/CONTAINER: unconfined)"
        : "a security module forbids it";

    /// <summary>The same for a process that may be in another user namespace, where the capability of this one has no effect.</summary>
    private static string OfAnotherProcess => AppArmor.Profile is null ? "another user namespace owns the process, or " + Forbidden : Forbidden;

    private static Remedy Ptrace => Missing(Capability.CAP_SYS_PTRACE, "CAP_SYS_PTRACE", "",
        AppArmor.Profile is null ? "that process has capabilities that this process lacks, or " + Forbidden : Forbidden);

    /// <summary>
    /// The remedy for a missing capability. If it is already effective, or if root does not have it here, running as root will not help.
    /// </summary>
    private static Remedy Missing(int capability, string name, string consequence, string ifEffective, string alternative = "") =>
        new(Capability.IsEffective(capability) ? ifEffective
            : Unistd.geteuid() == 0 ? $"{name} is missing{consequence}: root does not have it here, so the container or unit has to grant it"
            : $"{name} is missing{consequence}; run as root{alternative}", isNotPossible: true);

    /// <param name="isNotPossible">Whether the request is impossible here.</param>
    private readonly struct Remedy(string text, bool isNotPossible = false)
    {
        public string Text { get; } = text;

        public bool IsNotPossible { get; } = isNotPossible;
    }
}

/// <summary>The warning about connections that could not be probed: their number, the causes and the alternatives.</summary>
internal static class UnaskedText
{
    public static string Describe(UnaskedPeers peers)
    {
        var causes = new List<string>();
        if (peers.Unheld > 0)
        {
            causes.Add($"{peers.Unheld}: " + (peers.Visibility is { } visibility
                ? Remedies.Describe(visibility.Failure)
                : "no process shows the socket (not accepted yet, or held by io_uring, a mapping, or a message in flight)"));
        }

        if (peers.Unreadable is { } unreadable)
        {
            causes.Add($"{peers.Hidden}: {Remedies.Describe(unreadable.Failure)}");
        }

        if (peers.Refused > 0)
        {
            causes.Add($"{peers.Refused}: {Remedies.Describe(peers.Failure)}");
        }

        return $"{Subject(peers.Count, peers.Wanted)} skipped ({string.Join("; ", causes)}); --no-ack-for needs no process, and neither does a rule " +
            "without --probe";
    }

    private static string Subject(int count, int wanted) =>
        wanted == 1 ? "the only connection could not be probed and is"
        : count == wanted ? $"none of the {wanted} connections could be probed; they are"
        : $"{count} of {wanted} connections could not be probed and {(count == 1 ? "is" : "are")}";
}
