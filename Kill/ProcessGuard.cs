using System.Buffers.Text;
using TcpCloser.Interop;

namespace TcpCloser.Kill;

/// <summary>Which processes are never signalled: process 1 of a pid namespace, kernel threads, this one and its ancestors.</summary>
internal sealed class ProcessGuard
{
    /// <summary>PF_KTHREAD (linux/sched.h), a bit of the flags in /proc/PID/stat.</summary>
    private const ulong KernelThread = 0x00200000;

    private readonly int _proc;
    private readonly HashSet<int> _own;

    /// <param name="proc">A descriptor of /proc.</param>
    public ProcessGuard(int proc)
    {
        _proc = proc;
        _own = OwnProcesses(proc);
    }

    /// <summary>This process and its ancestors.</summary>
    public static HashSet<int> OwnProcesses(int proc)
    {
        var own = new HashSet<int>();
        for (int pid = Unistd.getpid(); pid > 0 && own.Add(pid); pid = (int)StatField(proc, pid, 1))
        {
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

        if (pid == 1 || IsFirstOfItsNamespace(pid))
        {
            return "process 1 of its pid namespace";
        }

        return IsKernelThread(_proc, pid) ? "a kernel thread" : null;
    }

    public static bool IsKernelThread(int proc, int pid) => (StatField(proc, pid, 6) & KernelThread) != 0;

    /// <summary>NSpid in /proc/PID/status ends with the id in the innermost namespace.</summary>
    private bool IsFirstOfItsNamespace(int pid)
    {
        ReadOnlySpan<byte> status = ProcFile.Read(_proc, ProcPath.Of(pid, "status"u8));
        int at = status.IndexOf("\nNSpid:"u8);
        if (at < 0)
        {
            return false;
        }

        ReadOnlySpan<byte> line = status[(at + 1)..];
        int end = line.IndexOf((byte)'\n');
        return (end < 0 ? line : line[..end]).EndsWith("\t1"u8);
    }

    /// <summary>A number in /proc/PID/stat, counted from the state (0): the name before it may hold anything, brackets too.</summary>
    private static ulong StatField(int proc, int pid, int field)
    {
        ReadOnlySpan<byte> stat = ProcFile.Read(proc, ProcPath.Of(pid, "stat"u8));
        stat = stat[(stat.LastIndexOf((byte)')') + 1)..];
        for (int i = 0; i <= field && !stat.IsEmpty; i++)
        {
            int space = stat.IndexOf((byte)' ');
            stat = space < 0 ? [] : stat[(space + 1)..];
        }

        return Utf8Parser.TryParse(stat, out ulong value, out _) ? value : 0;
    }
}
