using TcpCloser.Interop;
using TcpCloser.Proc;

namespace TcpCloser.Kill;

/// <summary>Whether the owners of sockets can be found and dealt with: tries of each process what a run will do.</summary>
internal static class OwnerCheck
{
    /// <summary>Asks every process but kernel threads and this one.</summary>
    /// <param name="name">What the answer is called.</param>
    /// <param name="openProcesses">Opens the table of processes.</param>
    /// <param name="uids">Whose processes are asked; empty: everybody's.</param>
    /// <param name="ask">Tries the rest of it with a process. Returns what was refused, and the errno or 0.</param>
    public static Ability Run(
        string name, Func<IProcessTable> openProcesses, IReadOnlyList<uint> uids, Func<IProcessTable, int, (Operation Operation, int Errno)> ask)
    {
        try
        {
            using IProcessTable table = openProcesses();
            var refused = new UnreadableProcesses();
            int asked = 0;
            foreach (int pid in DescriptorWalk.AllProcesses(table))
            {
                if (pid == table.Self || !IsMeant(table, pid, uids))
                {
                    continue;
                }

                (Operation operation, int errno) = Ask(table, pid, ask);
                if (errno is not (Errno.ENOENT or Errno.ESRCH))
                {
                    asked++;
                    if (errno != 0)
                    {
                        refused.Add(pid, operation, errno);
                    }
                }
            }

            return refused.Count == 0 ? new Ability(name)
                : new Ability(name, refused.Errno, refused.Operation, refused.Subject, partly: refused.Count < asked);
        }
        catch (SystemCallException e)
        {
            return new Ability(name, e.Errno, e.Operation, e.Subject);
        }
    }

    private static bool IsMeant(IProcessTable table, int pid, IReadOnlyList<uint> uids)
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

    /// <summary>Lists the process's descriptors and reads what one of them is; then the rest.</summary>
    private static (Operation Operation, int Errno) Ask(
        IProcessTable table, int pid, Func<IProcessTable, int, (Operation Operation, int Errno)> ask)
    {
        int folder = table.OpenDescriptors(pid);
        if (folder < 0)
        {
            return (Operation.ListDescriptors, -folder);
        }

        var fds = new List<int>();
        int errno = table.ListDescriptors(folder, fds);
        int linkErrno = errno == 0 && fds.Count > 0 ? DescriptorWalk.ReadSocket(table, folder, fds[0], out _) : 0;
        table.Close(folder);
        return errno != 0 ? (Operation.ListDescriptors, errno)
            : linkErrno is not (0 or Errno.ENOENT) ? (Operation.ReadDescriptor, linkErrno)
            : ask(table, pid);
    }
}
