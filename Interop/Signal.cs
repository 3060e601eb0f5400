using System.Runtime.InteropServices;

namespace TcpCloser.Interop;

/// <summary>signal.h and sys/signalfd.h.</summary>
internal static unsafe partial class Signal
{
    public const int SIGHUP = 1;
    public const int SIGINT = 2;
    public const int SIGQUIT = 3;
    public const int SIGKILL = 9;
    public const int SIGUSR1 = 10;
    public const int SIGUSR2 = 12;
    public const int SIGPIPE = 13;
    public const int SIGALRM = 14;
    public const int SIGTERM = 15;
    public const int SIGSTKFLT = 16;
    public const int SIGTSTP = 20;
    public const int SIGXCPU = 24;
    public const int SIGXFSZ = 25;
    public const int SIGVTALRM = 26;
    public const int SIGPROF = 27;
    public const int SIGIO = 29;
    public const int SIGPWR = 30;

    /// <summary>The first real-time signal that neither a libc nor the .NET runtime reserves.</summary>
    public const int FirstRealTime = 36;

    /// <summary>The highest signal number, SIGRTMAX (signal(7)).</summary>
    public const int Max = 64;

    private const nint SIG_IGN = 1;

    /// <summary>
    /// The size of a buffer for struct sigaction, which begins with the handler in glibc and musl and is not longer in any libc.
    /// </summary>
    private const int SigactionWords = 32;

    public const int SIG_BLOCK = 0;
    public const int SFD_CLOEXEC = 0x80000;
    public const int SFD_NONBLOCK = 0x800;

    /// <summary>sizeof(struct signalfd_siginfo), whose first u32 is the signal's number.</summary>
    public const int SignalFdSiginfoSize = 128;

    [LibraryImport("libc", SetLastError = true)]
    public static partial int kill(int pid, int sig);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int sigaction(int sig, nint* act, nint* oldact);

    /// <summary>Whether the signal is ignored.</summary>
    public static bool IsIgnored(int signal)
    {
        nint* old = stackalloc nint[SigactionWords];
        return sigaction(signal, null, old) == 0 && old[0] == SIG_IGN;
    }

    /// <summary>Ignores the signal. Returns the previous action, for <see cref="Restore"/>.</summary>
    public static nint[] Ignore(int signal)
    {
        nint* act = stackalloc nint[SigactionWords];
        new Span<nint>(act, SigactionWords).Clear();
        act[0] = SIG_IGN;
        var before = new nint[SigactionWords];
        fixed (nint* old = before)
        {
            _ = sigaction(signal, act, old);
        }

        return before;
    }

    /// <summary>Restores the action that <see cref="Ignore"/> returned.</summary>
    public static void Restore(int signal, nint[] before)
    {
        fixed (nint* act = before)
        {
            _ = sigaction(signal, act, null);
        }
    }

    [LibraryImport("libc")]
    public static partial int pthread_sigmask(int how, ulong* set, ulong* oldset);

    [LibraryImport("libc", SetLastError = true)]
    public static partial int signalfd(int fd, ulong* mask, int flags);

    /// <summary>sigset_t has 1024 bits in glibc and musl; the kernel reads the first 64.</summary>
    public const int SigsetWords = 16;

    /// <summary>The names of signals 1 to 31, by number (signal(7); x86_64 and arm64).</summary>
    private static readonly string[] s_names =
    [
        "", "HUP", "INT", "QUIT", "ILL", "TRAP", "ABRT", "BUS", "FPE", "KILL", "USR1", "SEGV", "USR2", "PIPE", "ALRM", "TERM",
        "STKFLT", "CHLD", "CONT", "STOP", "TSTP", "TTIN", "TTOU", "URG", "XCPU", "XFSZ", "VTALRM", "PROF", "WINCH", "IO", "PWR", "SYS",
    ];

    /// <summary>The number of a signal named <c>TERM</c> or <c>SIGTERM</c>; 0: no signal has this name.</summary>
    public static int NumberOf(string name)
    {
        string bare = name.StartsWith("SIG", StringComparison.OrdinalIgnoreCase) ? name[3..] : name;
        for (int number = 1; number < s_names.Length; number++)
        {
            if (bare.Equals(s_names[number], StringComparison.OrdinalIgnoreCase))
            {
                return number;
            }
        }

        return 0;
    }

    /// <summary>The name of a signal, <c>SIGTERM</c>; for a real-time signal, its number.</summary>
    public static string NameOf(int number) => number < s_names.Length ? "SIG" + s_names[number] : number.ToString();
}
