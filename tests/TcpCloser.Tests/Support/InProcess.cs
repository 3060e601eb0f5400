using System.Runtime.ExceptionServices;
using System.Runtime.InteropServices;
using System.Text.RegularExpressions;
using TcpCloser.Interop;

namespace TcpCloser.Tests.Support;

/// <summary>
/// The whole program in this process, on a thread of its own: there it blocks signals, and those that a test sends go to that thread
/// alone.
/// </summary>
internal static partial class InProcess
{
    private static readonly int[] s_sent = [Signal.SIGHUP, Signal.SIGINT, Signal.SIGQUIT, Signal.SIGUSR1, Signal.SIGTERM];

    /// <summary>Runs it without syslog. Returns the exit status and what it wrote to stdout and to stderr.</summary>
    public static (ExitStatus Status, string Out, string Error) Run(Machine machine, params string[] words)
    {
        ExitStatus status = (ExitStatus)(-1);
        string error = "";
        string output = Written.ToStdout(() => error = Written.ToStderr(() => status = OnThread(machine, words)));
        return (status, output, error);
    }

    /// <summary>What a run did and wrote, for a snapshot: the times are taken out.</summary>
    public static string Transcript(Machine machine, params string[] words)
    {
        (ExitStatus status, string output, string error) = Run(machine, words);
        return $"{string.Join(' ', words)}\n{WithoutTimes(output)}{WithoutTimes(error)}exit status {(int)status}\n";
    }

    /// <summary>With these in the environment, which is the whole process's.</summary>
    public static void WithEnvironment(Action action, params (string Name, string Value)[] variables)
    {
        lock (Written.OneAtATime)
        {
            try
            {
                foreach ((string name, string value) in variables)
                {
                    Environment.SetEnvironmentVariable(name, value);
                }

                action();
            }
            finally
            {
                foreach ((string name, _) in variables)
                {
                    Environment.SetEnvironmentVariable(name, null);
                }
            }
        }
    }

    public static string WithoutTimes(string text) => Duration().Replace(Time().Replace(text, "TIME"), "${name}N");

    /// <summary>Sends a signal to the calling thread, where it is blocked: also before the program has begun.</summary>
    public static void Send(int signal) => Assert.Equal(0, Tgkill(Environment.ProcessId, Gettid(), signal));

    /// <summary>The same, with the descriptors as they are.</summary>
    public static ExitStatus OnThread(Machine machine, params string[] words)
    {
        ExitStatus status = (ExitStatus)(-1);
        OnThread(() =>
        {
            Block();
            status = Program.Run(["--disable-syslog", .. words], machine);
        });
        return status;
    }

    /// <summary>On a thread that ends with the action, and with it what was blocked there and sent to it.</summary>
    public static void OnThread(Action action)
    {
        Exception? failure = null;
        var thread = new Thread(() =>
        {
            try
            {
                action();
            }
            catch (Exception e)
            {
                failure = e;
            }
        });
        thread.Start();
        thread.Join();
        if (failure is not null)
        {
            ExceptionDispatchInfo.Throw(failure);
        }
    }

    /// <summary>What the whole process does on a signal that no thread blocks: nothing, or what signal(7) says.</summary>
    public static void SetHandler(int signal, bool isIgnored) => Assert.NotEqual(-1, SetHandler(signal, isIgnored ? 1 : 0)); // SIG_IGN, SIG_DFL

    /// <summary>
    /// A signal that comes before the program watches would end all tests; and what a shell ignores for a command in the background
    /// would not come at all.
    /// </summary>
    private static unsafe void Block()
    {
        ulong* set = stackalloc ulong[Signal.SigsetWords];
        new Span<ulong>(set, Signal.SigsetWords).Clear();
        foreach (int signal in s_sent)
        {
            set[0] |= 1UL << (signal - 1);
        }

        Assert.Equal(0, Signal.pthread_sigmask(Signal.SIG_BLOCK, set, null));
        foreach (int signal in s_sent.Where(Signal.IsIgnored))
        {
            SetHandler(signal, isIgnored: false);
        }
    }

    [GeneratedRegex(@"\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")]
    private static partial Regex Time();

    [GeneratedRegex(@"(?<name>\btime=|""time_ms"":)\d+")]
    private static partial Regex Duration();

    [LibraryImport("libc", EntryPoint = "tgkill")]
    private static partial int Tgkill(int tgid, int tid, int signal);

    [LibraryImport("libc", EntryPoint = "signal")]
    private static partial nint SetHandler(int signal, nint handler);

    [LibraryImport("libc", EntryPoint = "gettid")]
    private static partial int Gettid();
}
