using TcpCloser.Interop;
using TcpCloser.Proc;
using TcpCloser.Rules;

namespace TcpCloser.Kill;

/// <summary>
/// Checks whether the sockets of processes can be found and used, by trying on every visible process what a run would do.
/// </summary>
internal static class HolderCheck
{
    private static readonly Failure s_processGone = new(Operation.ListDescriptors, Errno.ENOENT);

    /// <summary>Checks whether the sockets of every process can be found, as <c>--pid</c> and <c>--comm</c> require.</summary>
    /// <param name="name">The name of the feature.</param>
    /// <param name="uids">The users whose processes are tried; empty: all users.</param>
    public static FeatureSupport Run(string name, Machine machine, IReadOnlyList<uint> uids) =>
        Run(name, machine, uids, static (_, _) => default);

    /// <summary>Checks whether the sockets of every process can be found and fetched.</summary>
    public static FeatureSupport RunFetch(string name, Machine machine, IReadOnlyList<uint> uids) =>
        Run(name, machine, uids, static (table, pid) =>
        {
            int errno = table.OpenProcess(pid, out int process);
            if (errno != 0)
            {
                return new Failure(Operation.OpenProcess, errno);
            }

            errno = table.FetchSocket(process, OpenProcess.NoDescriptor, out _);
            table.Close(process);
            return Failure.If(Operation.FetchSocket, errno == Errno.EBADF ? 0 : errno);
        });

    /// <summary>Tries every process except kernel threads and this one.</summary>
    /// <param name="name">The name of the feature.</param>
    /// <param name="uids">The users whose processes are tried; empty: all users.</param>
    /// <param name="ask">Tries the feature's own steps on a process whose descriptors are readable.</param>
    public static FeatureSupport Run(
        string name, Machine machine, IReadOnlyList<uint> uids, Func<IProcessTable, int, Failure> ask)
    {
        try
        {
            using IProcessTable table = machine.OpenProcesses();
            var refused = new UnreadableProcesses();
            int asked = 0;
            foreach (int pid in DescriptorWalk.AllProcesses(table))
            {
                if (pid == table.Self || !IsInScope(table, pid, uids))
                {
                    continue;
                }

                Failure failure = Ask(table, pid, ask);
                if (failure.Errno is not (Errno.ENOENT or Errno.ESRCH))
                {
                    asked++;
                    if (!failure.IsNone)
                    {
                        refused.Add(pid, failure);
                    }
                }
            }

            return new FeatureSupport(name, refused.Failure)
            {
                Availability = refused.Count == 0 ? Availability.Full : refused.Count < asked ? Availability.Partial : Availability.None,
                NeedsProcesses = true,
                HasWillingProcess = refused.Count < asked,
            };
        }
        catch (SystemCallException e)
        {
            return new FeatureSupport(name, e.Failure) { NeedsProcesses = true };
        }
    }

    private static bool IsInScope(IProcessTable table, int pid, IReadOnlyList<uint> uids)
    {
        bool isKernelThread = table.ReadFile(pid, "stat"u8, out byte[] content) == 0 && ProcessStat.TryParse(content, out ProcessStat stat)
            && stat.IsKernelThread;
        if (isKernelThread || uids.Count == 0)
        {
            return !isKernelThread;
        }

        uint? uid = table.ReadFile(pid, "status"u8, out content) == 0 ? ProcessStatus.Parse(content).EffectiveUid : null;
        foreach (uint wanted in uids)
        {
            if (wanted == uid)
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>Lists the process's descriptors, reads the target of one, and then tries the feature's own steps.</summary>
    private static Failure Ask(IProcessTable table, int pid, Func<IProcessTable, int, Failure> ask)
    {
        int errno = table.OpenDescriptors(pid, out int directory);
        if (errno != 0)
        {
            return DescriptorWalk.HasFirstThreadEnded(table, pid) ? s_processGone : new Failure(Operation.ListDescriptors, errno);
        }

        var fds = new List<int>();
        errno = table.ListDescriptors(directory, fds);
        int linkErrno = errno == 0 && fds.Count > 0 ? DescriptorWalk.ReadSocket(table, directory, fds[0], out _) : 0;
        table.Close(directory);
        return errno != 0 ? new Failure(Operation.ListDescriptors, errno)
            : linkErrno is not (0 or Errno.ENOENT) ? new Failure(Operation.ReadDescriptor, linkErrno)
            : ask(table, pid);
    }
}
