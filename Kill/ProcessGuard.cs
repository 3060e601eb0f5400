using System.Buffers.Text;
using TcpCloser.Interop;

namespace TcpCloser.Kill;

/// <summary>Which processes are never signalled: process 1 of a pid namespace, kernel threads, this one and its ancestors.</summary>
internal sealed class ProcessGuard
{
    /// <summary>PF_KTHREAD (linux/sched.h), a bit of the flags in /proc/PID/stat.</summary>
    private const ulong KernelThread = 0x00200000;

    private const string FirstOfItsNamespace = "process 1 of its pid namespace";

    private readonly int _proc;
    private readonly HashSet<int> _own;
    private readonly bool _ownUnknown;

    /// <param name="proc">A descriptor of /proc.</param>
    public ProcessGuard(int proc)
    {
        _proc = proc;
        _own = OwnProcesses(proc, out _ownUnknown);
    }

    /// <summary>This process and its ancestors.</summary>
    /// <param name="proc">A descriptor of /proc.</param>
    /// <param name="incomplete">Whether one of them could not be looked at, so that there may be more.</param>
    public static HashSet<int> OwnProcesses(int proc, out bool incomplete)
    {
        var own = new HashSet<int>();
        ulong parent = 0;
        incomplete = false;
        for (int pid = Unistd.getpid(); pid > 0 && own.Add(pid) && !incomplete; pid = (int)parent)
        {
            incomplete = !TryStatField(proc, pid, 1, out parent);
        }

        return own;
    }

    /// <summary>Why the process is never signalled, or null.</summary>
    public string? Protection(int pid)
    {
        if (pid == Unistd.getpid())
        {
            return "tcp-closer itself";
        }

        if (_own.Contains(pid))
        {
            return "an ancestor of tcp-closer";
        }

        if (pid == 1)
        {
            return FirstOfItsNamespace;
        }

        // What cannot be looked at (EMFILE, ENOMEM) may be any of these.
        if (_ownUnknown || !TryRead(_proc, pid, "status"u8, out byte[] status) || !TryStatField(_proc, pid, 6, out ulong flags))
        {
            return "a process that cannot be looked at now";
        }

        return IsFirstOfItsNamespace(status) ? FirstOfItsNamespace
            : (flags & KernelThread) != 0 ? "a kernel thread"
            : null;
    }

    public static bool IsKernelThread(int proc, int pid) => TryStatField(proc, pid, 6, out ulong flags) && (flags & KernelThread) != 0;

    /// <summary>NSpid in /proc/PID/status ends with the id in the innermost namespace.</summary>
    private static bool IsFirstOfItsNamespace(ReadOnlySpan<byte> status)
    {
        int at = status.IndexOf("\nNSpid:"u8);
        if (at < 0)
        {
            return false;
        }

        ReadOnlySpan<byte> line = status[(at + 1)..];
        int end = line.IndexOf((byte)'\n');
        return (end < 0 ? line : line[..end]).EndsWith("\t1"u8);
    }

    /// <summary>Reads a file of a process. True also where the process is gone, or hidden: nobody can signal it then.</summary>
    private static bool TryRead(int proc, int pid, ReadOnlySpan<byte> name, out byte[] content) =>
        ProcFile.Read(proc, ProcPath.Of(pid, name), out content) is 0 or Errno.ENOENT or Errno.ESRCH;

    /// <summary>A number in /proc/PID/stat, counted from the state (0): the name before it may hold anything, brackets too.</summary>
    private static bool TryStatField(int proc, int pid, int field, out ulong value)
    {
        bool known = TryRead(proc, pid, "stat"u8, out byte[] content);
        ReadOnlySpan<byte> stat = content;
        stat = stat[(stat.LastIndexOf((byte)')') + 1)..];
        for (int i = 0; i <= field && !stat.IsEmpty; i++)
        {
            int space = stat.IndexOf((byte)' ');
            stat = space < 0 ? [] : stat[(space + 1)..];
        }

        _ = Utf8Parser.TryParse(stat, out value, out _);
        return known;
    }
}
