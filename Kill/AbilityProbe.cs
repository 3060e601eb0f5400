using System.Runtime.InteropServices;
using TcpCloser.Cli;
using TcpCloser.Diag;
using TcpCloser.Interop;

namespace TcpCloser.Kill;

/// <summary>Finds out what is possible here, by questions that change nothing.</summary>
internal static class AbilityProbe
{
    public static Ability Dump()
    {
        int errno = Ask(new Options { SourcePorts = [new PortRange(1, 1)] });
        return errno == 0
            ? new Ability("dump", true)
            : new Ability("dump", false, $"{Errno.Describe(errno)}: INET_DIAG does not answer; load tcp_diag, or use a kernel with CONFIG_INET_DIAG");
    }

    /// <summary>SOCK_DESTROY of a connection that cannot exist: ENOENT where the kernel has it.</summary>
    public static Ability Destroy()
    {
#if NO_SOCK_DESTROY
        return new Ability("destroy", false, "this build has no SOCK_DESTROY");
#else
        using var own = new NetworkNamespace();
        var nowhere = new ConnectionList();
        nowhere.Begin(own);
        nowhere.Add(new Connection { Family = Socket.AF_INET, State = TcpState.Established, Cookie = ulong.MaxValue - 1 });
        using (var batch = new DestroyBatch(own))
        {
            _ = batch.Destroy(nowhere, 0, 1, sparesMptcp: false);
        }

        if (nowhere[0].Outcome != Outcome.Vanished)
        {
            return new Ability("destroy", false, SockDestroyer.Remedy(nowhere[0].FailedErrno));
        }

        // The kernel looks the connection up before it asks for privilege; a filter by mark asks for the same privilege at once.
        int errno = Ask(new Options { Marks = [new SocketMark(0, 0)] });
        return errno == Errno.EPERM ? new Ability("destroy", false, SockDestroyer.Remedy(errno)) : new Ability("destroy", true);
#endif
    }

    /// <summary>Whether the sockets of every process may be fetched: asked of each by a descriptor number that none has.</summary>
    public static Ability Disconnect()
    {
        const int NoDescriptor = int.MaxValue;
        int errno = ForEveryProcess(static pid =>
        {
            int pidfd = Pidfd.Open(pid);
            if (pidfd < 0)
            {
                return -pidfd;
            }

            int result = -Pidfd.GetDescriptor(pidfd, NoDescriptor);
            _ = Unistd.close(pidfd);
            return result == Errno.EBADF ? 0 : result;
        }, out int refused);
        return errno == 0 ? new Ability("disconnect", true)
            : new Ability("disconnect", false, $"{Errno.Describe(errno)}{Of(refused)}: " +
                (SocketDisconnector.Remedy(errno) ?? "mount /proc, where the owners of sockets are found"));
    }

    /// <summary>Whether every process may be signalled: asked by signal 0.</summary>
    public static Ability Kill()
    {
        int errno = ForEveryProcess(static pid => Signal.kill(pid, 0) == 0 ? 0 : Marshal.GetLastPInvokeError(), out int refused);
        return errno == 0 ? new Ability("kill", true)
            : new Ability("kill", false, $"{Errno.Describe(errno)}{Of(refused)}: " +
                (errno == Errno.EPERM ? "CAP_KILL is missing; run as root" : "mount /proc, where the owners of sockets are found"));
    }

    /// <summary>Which conditions the kernel itself decides; the others are decided by this program where that is possible.</summary>
    public static IEnumerable<Ability> Filters()
    {
        yield return Filter("filter-ports", new Options { SourcePorts = [new PortRange(1, 1), new PortRange(3, 3)] });
        yield return Filter("filter-addresses", new Options { Destinations = [AddressPrefix.ParseOne("192.0.2.1")!] });
        yield return Filter("filter-interface", new Options(), static selection => selection.Interfaces = [int.MaxValue]);
        yield return Filter("filter-mark", new Options { Marks = [new SocketMark(0, 0)] });
        yield return Filter("filter-cgroup", new Options(), static selection => selection.CgroupIds = [ulong.MaxValue]);
    }

    private static Ability Filter(string name, Options options, Action<Selection>? more = null)
    {
        int errno = Ask(options, more);
        return errno == 0 ? new Ability(name, true)
            : new Ability(name, false, Errno.Describe(errno) + (errno == Errno.EPERM
                ? ": CAP_NET_ADMIN is missing; run as root"
                : ": this kernel's filter does not know it; what it tells of each socket is compared instead"));
    }

    /// <summary>Asks for a dump with the newest filter ops. Returns 0 or the errno.</summary>
    private static int Ask(Options options, Action<Selection>? more = null)
    {
        var selection = new Selection(options);
        more?.Invoke(selection);
        using var own = new NetworkNamespace();
        byte[] bytecode = FilterCompiler.Compile(selection, half: null, marksAndCgroups: true);
        return new SocketDump().Run(own, DumpRequest.Build(selection, bytecode), new Nobody());
    }

    private static string Of(int refused) => refused > 1 ? $" ({refused} processes)" : "";

    /// <summary>Asks every process but kernel threads. Returns 0 or the errno of the first that refuses, and how many do.</summary>
    private static int ForEveryProcess(Func<int, int> ask, out int refused)
    {
        refused = 0;
        int first = 0;
        try
        {
            using var proc = new ProcDirectory();
            foreach (int pid in ProcFile.Numbers(proc.Descriptor))
            {
                int errno = ProcessGuard.IsKernelThread(proc.Descriptor, pid) ? 0 : ask(pid);
                if (errno is not (0 or Errno.ESRCH))
                {
                    first = first == 0 ? errno : first;
                    refused++;
                }
            }
        }
        catch (SystemCallException e)
        {
            return e.Errno;
        }

        return first;
    }

    private sealed class Nobody : IDumpSink
    {
        public void Reset()
        {
        }

        public void Add(ref readonly InetDiagMsg message, in SocketAttributes attributes)
        {
        }
    }
}
