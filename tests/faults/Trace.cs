namespace TcpCloser.Faults;

/// <summary>The system calls of a run, as strace recorded them: those of the main thread after the start of Main.</summary>
internal sealed class Trace
{
    /// <summary>The first call of Main, which checks for closed descriptors.</summary>
    private const string FirstCall = "fcntl(0";

    /// <summary>Calls of the runtime for memory, threads, signals and clocks, whose failure is not the program's.</summary>
    private static readonly HashSet<string> s_ofTheRuntime =
    [
        "futex", "mmap", "munmap", "mprotect", "madvise", "mremap", "brk", "membarrier", "sched_getaffinity", "sched_yield", "sched_getcpu",
        "getcpu", "rt_sigaction", "rt_sigprocmask", "rt_sigreturn", "sigaltstack", "restart_syscall", "clone", "clone3", "set_robust_list",
        "rseq", "gettid", "getpid", "getppid", "getuid", "geteuid", "getgid", "getegid", "clock_gettime", "clock_nanosleep", "gettimeofday",
        "getrandom", "prlimit64", "getrlimit", "get_mempolicy", "sysinfo", "uname", "getrusage", "exit", "exit_group", "execve", "set_tid_address",
    ];

    /// <summary>Files that the garbage collector reads.</summary>
    private static readonly string[] s_filesOfTheRuntime = ["/sys/fs/cgroup/", "/proc/meminfo", "/proc/self/statm", "/sys/devices/system/"];
    private readonly List<Call> _calls = [];

    private Trace()
    {
    }

    internal IReadOnlyList<Call> Calls => _calls;

    /// <summary>The call that failed on purpose, as strace showed it; null: not reached, or before Main.</summary>
    internal string? Injected { get; private set; }
    internal bool ReachedMain { get; private set; }

    internal static Trace Read(string file)
    {
        Trace trace = new();
        Dictionary<string, int> counts = [];
        string? mainThread = null;
        foreach (string line in File.ReadLines(file))
        {
            // "123 read(4</proc/1/stat>, "1 (sh) S"..., 1024) = 80", or in two parts if another thread ran in between
            int space = line.IndexOf(' ');
            string thread = space > 0 ? line[..space] : "";
            string text = line[(space + 1)..].TrimStart();
            mainThread ??= thread;
            if (thread != mainThread)
            {
                continue;
            }

            if (trace.ReachedMain && text.EndsWith("(INJECTED)", StringComparison.Ordinal))
            {
                trace.Injected ??= text;
            }
            int bracket = text.IndexOf('(');
            if (bracket <= 0 || !IsName(text.AsSpan(0, bracket)))
            {
                continue;
            }

            string name = text[..bracket];
            int count = counts[name] = counts.GetValueOrDefault(name) + 1;
            trace.ReachedMain |= text.StartsWith(FirstCall, StringComparison.Ordinal);
            if (trace.ReachedMain && !s_ofTheRuntime.Contains(name) && !Array.Exists(s_filesOfTheRuntime, file => text.Contains(file)))
            {
                trace._calls.Add(new Call(name, count, text[(bracket + 1)..]));
            }
        }

        return trace;
    }

    /// <summary>The first calls of each kind, from the first call of the name <paramref name="from"/> on.</summary>
    internal List<Call> First(int perKind, string from)
    {
        Dictionary<string, int> seen = [];
        int start = from.Length == 0 ? 0 : Math.Max(0, _calls.FindIndex(call => call.Name == from));
        return [.. _calls.Skip(start).Where(call => (seen[call.Kind] = seen.GetValueOrDefault(call.Kind) + 1) <= perKind)];
    }

    private static bool IsName(ReadOnlySpan<char> text)
    {
        foreach (char c in text)
        {
            if (!char.IsAsciiLetterLower(c) && !char.IsAsciiDigit(c) && c != '_')
            {
                return false;
            }
        }

        return true;
    }
}
